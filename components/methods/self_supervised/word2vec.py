"""word2vec: a word's vector foretells the words around it, and not words drawn at random (skip-gram).

Mikolov, Sutskever, Chen, Corrado & Dean 2013, Distributed Representations of Words and Phrases and their
Compositionality, https://arxiv.org/abs/1310.4546
"""

from typing import Any, Protocol, cast

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.core.errors import WinnowError
from components.methods import draws
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.whole_batch import whole_batch
from components.models.encoders import Encoder

BLOCK = 32  # words whose windows are looked at together: more wastes products, fewer make them too small
SETTLED = 0.9  # of training; from there on what all texts share is measured


class _Bag(Protocol):
    """What is asked of an encoder: a table of words, and how it makes a text's vector of it."""

    table: nn.Embedding

    def pooled(self, views: Tensor) -> Tensor: ...

    def settle(self, products: Tensor) -> None: ...


class Word2vec(SelfSupervisedMethod):
    """Trains the encoder's table of words against a second one, of contexts.

    As in the paper frequent words are passed over at random, and negatives are drawn by frequency to the power 3/4. In
    place of a window of random size, as its program has, pairs count by the chance to be in it; and some negatives
    serve a whole batch, each weighing more: products of matrices where single words would wait for memory.
    """

    fits = ("tokens",)
    views = ("weak",)
    kept: Tensor  # (V,) the chance that a word is not passed over
    lots: Tensor  # (V,) summed chances to be drawn as a negative
    progress: Tensor
    products: Tensor  # (D, D) of texts' vectors with themselves, summed

    class Config(BaseConfig):
        """window: words to either side, at most; negatives: how much they weigh beside a pair; drawn: how many serve a
        batch; passed_over: how many times the share of the average word, 1 / V, a word must have to be passed over more
        and more: the paper's t is that by V, its 0.00001 about 7 / V.
        """

        window: int = Field(5, ge=1, le=100)
        negatives: float = Field(5.0, gt=0)
        drawn: int = Field(32, ge=1, le=4096)
        passed_over: float = Field(2.0, gt=0)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        if not all(hasattr(encoder, name) for name in ("table", "pooled", "settle")):
            raise WinnowError(
                "pretrain.method 'word2vec' trains a table of words: set pretrain.encoder to word_vectors."
            )
        self.encoder, self.config = encoder, config
        shape = self._bag.table.weight.shape
        self.contexts = nn.Parameter(torch.empty(shape).uniform_(-0.5, 0.5) / shape[1] ** 0.5)
        shares = torch.tensor(encoder.given.frequencies or [1 / shape[0]] * shape[0])
        self.register_buffer("kept", _kept(shares, config.passed_over / shape[0]), persistent=False)
        self.register_buffer("lots", (shares.double() ** 0.75).cumsum(0), persistent=False)
        self.register_buffer("progress", torch.zeros((), dtype=torch.float64))
        self.register_buffer("products", torch.zeros(encoder.dim, encoder.dim, dtype=torch.float64))

    def training_step(self, batch: Batch) -> StepOutput:
        """The mean loss of a word with its window."""
        views, config = batch.views[0], self.config
        lots = draws.uniform(batch, self.encoder.shape[0])[:, : views.shape[1]]
        texts, places = (lots < self.kept[views]).nonzero(as_tuple=True)
        drawn = torch.rand(config.drawn, generator=batch.generator, dtype=torch.float64).to(self.lots.device)
        negatives = torch.searchsorted(self.lots, drawn * self.lots[-1]).clamp_max(len(self.lots) - 1)
        words, table = views[texts, places], self._bag.table.weight
        parts = (words, texts, negatives, config.window, config.negatives)
        loss = cast(Tensor, _SkipGram.apply(table, self.contexts, *parts))
        if self.progress >= SETTLED:
            self._notice(views)
        shared = whole_batch(loss.new_tensor([float(len(words))])).mean()  # so that workers' means are one worker's
        return StepOutput(loss / shared.clamp_min(1))

    def after_step(self, progress: float) -> None:
        """At the end the encoder is told what texts have in common."""
        self.progress.fill_(progress)
        if progress >= 1:
            self._bag.settle(self.products)

    @property
    def _bag(self) -> _Bag:
        return cast(_Bag, self.encoder)

    @torch.no_grad()
    def _notice(self, views: Tensor) -> None:
        vectors = whole_batch(self._bag.pooled(views)).double()
        self.products += vectors.T @ vectors


def skip_gram(
    table: Tensor, contexts: Tensor, words: Tensor, texts: Tensor, negatives: Tensor, window: int, weight: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The paper's equation 4, negated and summed over all pairs in a window, and its gradients by both.

    table, contexts: `(V, D)`; words: `(M,)` numbers of the words of all texts in a row, texts: `(M,)` which text each
    is of; negatives: `(K,)`. A pair d words apart counts `(window + 1 - d) / window`, the chance that a window of
    random size holds it, and each negative then `weight / K`. Blocks of words meet the words around them all at once.
    """
    count, device = len(words), words.device
    blocks, wide = max(1, -(-count // BLOCK)), BLOCK + 2 * window
    places = F.pad(torch.arange(count, device=device), (window, window + blocks * BLOCK - count), value=count)
    around, own = places.unfold(0, wide, BLOCK), places[window : window + blocks * BLOCK].view(blocks, BLOCK)
    text = F.pad(texts, (0, 1), value=-1)
    centers, others = (F.pad(rows[words], (0, 0, 0, 1)) for rows in (table, contexts))
    middle, near = centers[own], others[around]  # (blocks, BLOCK, D), (blocks, wide, D)
    apart = (torch.arange(wide, device=device) - window - torch.arange(BLOCK, device=device)[:, None]).abs()
    chance = ((window + 1 - apart).clamp_min(0).to(table.dtype) / window).masked_fill(apart == 0, 0)
    pairs = chance * (text[own][:, :, None] == text[around][:, None, :]) * (own < count)[:, :, None]
    scores = torch.bmm(middle, near.transpose(1, 2))
    loss = (F.softplus(-scores) * pairs).sum()
    pull = torch.sigmoid(-scores).mul_(pairs).neg_()
    flat, drawn = middle.view(-1, middle.shape[-1]), contexts[negatives]
    wrong = flat @ drawn.T
    weights = pairs.sum(2).view(-1, 1) * (weight / len(negatives))
    loss = loss + (F.softplus(wrong) * weights).sum()
    push = torch.sigmoid(wrong).mul_(weights)
    of_centers = torch.bmm(pull, near).view_as(flat).addmm_(push, drawn)[:count]
    of_near = torch.bmm(pull.transpose(1, 2), middle).view(-1, flat.shape[-1])
    of_words = torch.zeros_like(others).index_add_(0, around.reshape(-1), of_near)[:count]
    first = torch.zeros_like(table).index_add_(0, words, of_centers)
    second = torch.zeros_like(contexts).index_add_(0, words, of_words).index_add_(0, negatives, push.T @ flat)
    return loss, first, second


class _SkipGram(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, contexts: Tensor, *parts: Any) -> Tensor:
        with torch.autocast(table.device.type, enabled=False):
            loss, *gradients = skip_gram(table, contexts, *parts)
        ctx.save_for_backward(*gradients)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        first, second = ctx.saved_tensors
        return first.mul_(gradients[0]), second.mul_(gradients[0]), None, None, None, None, None


def _kept(shares: Tensor, threshold: float) -> Tensor:
    """`(V,)` the chance that a word is not passed over: the paper's `sqrt(t / f)`; 0 for what is no word."""
    chances = (threshold / shares.clamp_min(1e-12)).sqrt().clamp_max(1)
    chances[:2] = 0
    return chances
