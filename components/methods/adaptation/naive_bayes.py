"""Naive Bayes over words: which class speaks with such words, by labeled texts and, less, by what a probe says of more.

McCallum & Nigam 1998, A comparison of event models for naive Bayes text classification (multinomial, equation 4), AAAI
workshop on learning for text categorization; Nigam, McCallum, Thrun & Mitchell 2000, Text classification from labeled
and unlabeled documents using EM, https://doi.org/10.1023/A:1007692713085 (section 5.3.1: unlabeled texts by a factor).
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import AdaptationMethod, Batch, Floats, Positions, StepOutput
from components.methods.labeled_loss import labeled_loss
from components.models.encoders import Encoder
from components.models.linear_head import fit_linear
from components.models.odds import FIRST, add_odds, mean_odds

MOST = 50_000  # texts that are read for how words are used: of the labeled ones, and of the pool
AT_ONCE = 1024  # texts that are in memory
LEAST = 0.01  # pseudo-count of an entry in a class of average size, so that none is impossible


class NaiveBayes(AdaptationMethod):
    """The encoder stays as it is; beside its vectors stand its texts' mean log-odds of words, which the head reads.

    One step of the paper's EM: a linear probe on the vectors guesses the classes of texts of the pool, whose words then
    count beside those of labeled texts, for their likeliest class each. Words are a witness of their own: what
    neighboring vectors got wrong they often outvote. Classes are taken for equally frequent, since labels that were
    picked say nothing of that.
    """

    fits = ("tokens",)
    frozen_encoder = True
    views = ()

    class Config(BaseConfig):
        """unlabeled: what a text of the pool counts beside a labeled one (the paper's lambda); l2: of the probe."""

        unlabeled: float = Field(default=0.1, gt=0, le=1)
        l2: float = Field(default=0.01, gt=0)

    def __init__(self, encoder: Encoder, classes: int, config: Config) -> None:
        super().__init__()
        self.vector = encoder.dim  # numbers of a text's vector before what its words say
        self.odds = add_odds(encoder, classes)
        self.encoder, self.config = encoder.requires_grad_(False), config
        self.head: nn.Module = nn.Linear(encoder.dim, classes)
        self._seen: Callable[[Positions], Tensor] | None = None

    def look(self, seen: Callable[[Positions], Tensor]) -> None:
        """As the contract says."""
        self._seen = seen

    def fit_head(self, pool: Floats, rows: Positions, targets: Floats, weights: Floats) -> float:
        """`log P(word | class)` by counts, less its mean over classes; its sum over a text's words is scaled down to
        the square root of their number, since words of one text repeat each other.
        """
        some, read = _spread(len(pool)), _spread(len(rows))
        rows, targets, weights = rows[read], targets[read], weights[read]
        probe, _ = fit_linear(pool, rows, targets, weights, l2=self.config.l2)
        with torch.no_grad():
            guessed = torch.softmax(probe(torch.from_numpy(pool[some])), 1).double()
        likeliest = torch.from_numpy(np.eye(targets.shape[1])[targets.argmax(1)] * weights[:, None])
        unlabeled = self._counts(some, guessed)
        counts = self._counts(rows, likeliest) + self.config.unlabeled * unlabeled
        sizes = counts[FIRST:].sum(0).clamp_min(torch.finfo(torch.float64).tiny)
        odds = (counts / sizes + LEAST / sizes.mean()).log()
        odds -= odds.mean(1, keepdim=True)
        odds[:FIRST] = 0
        words = float(unlabeled[FIRST:].sum()) / len(some)
        self.odds.weight.copy_(odds)
        self.head = _reading(self.vector, targets.shape[1], max(words, 1.0) ** 0.5)
        return self._loss(rows, torch.from_numpy(targets), torch.from_numpy(weights))

    def training_step(self, batch: Batch) -> StepOutput:
        """Cross-entropy of vectors `(B, D)`: what a step on the head would see."""
        return StepOutput(labeled_loss(self.head(batch.views[0]), batch))

    def _counts(self, places: Positions, shares: Tensor) -> Tensor:
        """`(V, K)`: how often each entry stands in texts of the pool, which are of classes by `shares` `(M, K)`."""
        counts = torch.zeros(self.encoder.given.symbols, shares.shape[1], dtype=torch.float64)
        for views, own in self._texts(places, shares):
            counts.index_add_(0, views.flatten(), own.repeat_interleave(views.shape[1], 0))
        return counts

    def _loss(self, places: Positions, targets: Tensor, weights: Tensor) -> float:
        """Mean cross-entropy of labeled texts, by the head and what their words say."""
        total = 0.0
        with torch.no_grad():
            for views, own in self._texts(places, targets * weights[:, None]):
                said = self.head(F.pad(mean_odds(self.odds.weight, views), (self.vector, 0)))
                total -= float((own * said.log_softmax(1)).sum())
        return total / float(weights.sum())

    def _texts(self, places: Positions, rows: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Views `(m, T)` of texts of the pool, few at a time, each with its row of `rows`."""
        assert self._seen is not None, "look() comes first"
        for start in range(0, len(places), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            yield self._seen(places[part]), rows[part]


def _spread(count: int) -> Positions:
    """At most `MOST` of 0 to `count` - 1, as far apart as can be."""
    return np.unique(np.linspace(0, count - 1, min(MOST, count)).astype(np.int64))


def _reading(vector: int, classes: int, scale: float) -> nn.Linear:
    """A head that reads the columns behind a vector's numbers."""
    head = nn.Linear(vector + classes, classes)
    with torch.no_grad():
        head.weight.copy_(F.pad(scale * torch.eye(classes), (vector, 0)))
        head.bias.zero_()
    return head
