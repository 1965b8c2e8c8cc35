"""Masked language model: of the words of a text some are hidden, and foretold from all the others.

Devlin, Chang, Lee & Toutanova 2019, BERT, https://arxiv.org/abs/1810.04805
"""

import torch
from pydantic import Field
from torch import Tensor

from components.core.config import Config as BaseConfig
from components.methods import draws
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.foretelling import WordHead, readers, share_of, surprise
from components.models.encoders import Encoder
from components.models.token_encoder import TokenEncoder

UNKNOWN, FIRST = 1, 2  # what stands for a word that nobody knows, and in the place of a hidden one; the first entry
MASKED, REPLACED = 0.8, 0.1  # of the words to foretell; the others stay (the paper's section 3.1)


class MaskedLM(SelfSupervisedMethod):
    """The word that a hidden one was, out of the whole vocabulary. Sentences that follow each other are not asked for.

    Words that are not in the vocabulary are never hidden: nobody could foretell them.
    """

    fits = ("tokens",)
    apart = True
    views = ("weak",)
    encoder: TokenEncoder

    class Config(BaseConfig):
        """hidden: share of the words that are to be foretold; of a short text one."""

        hidden: float = Field(default=0.15, gt=0, lt=1)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder = readers(encoder, "masked_lm", "all", "halves")
        self.hidden = config.hidden
        self.head = WordHead(self.encoder.width, self.encoder.table)

    def training_step(self, batch: Batch) -> StepOutput:
        """The mean over hidden words; `masked_accuracy`, the share of them that the first guess names."""
        views, table = batch.views[0], self.encoder.table
        lots = draws.uniform(batch, 3, self.encoder.shape[0])[..., : views.shape[1]]
        seen, chosen = hide(views, lots, self.hidden, table.num_embeddings)
        scores, targets = self.head(self.encoder.read(seen)[chosen], table), views[chosen]
        loss = share_of(surprise(scores, targets), len(targets))
        right = (scores.argmax(1) == targets).double().mean().nan_to_num()
        return StepOutput(loss, {"masked_accuracy": right})


def hide(views: Tensor, lots: Tensor, share: float, symbols: int) -> tuple[Tensor, Tensor]:
    """What the encoder sees of numbers `(B, L)`, and `(B, L)` where words are to be foretold.

    lots: `(B, 3, L)` in [0, 1): whether a word is chosen, what becomes of it, which entry takes its place. At least one
    word of each text that has any is chosen, the one with the lowest lot.
    """
    words = views >= FIRST
    first = lots[:, 0].masked_fill(~words, 2)
    chosen = words & ((first < share) | (first == first.min(1, keepdim=True).values))
    others = FIRST + (lots[:, 2] * (symbols - FIRST)).long().clamp_max(symbols - FIRST - 1)
    seen = torch.where(chosen & (lots[:, 1] < MASKED), UNKNOWN, views)
    replaced = chosen & (lots[:, 1] >= MASKED) & (lots[:, 1] < MASKED + REPLACED)
    return torch.where(replaced, others, seen), chosen
