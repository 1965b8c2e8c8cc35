"""Bidirectional language model: one reader foretells each word from those before it, another from those behind it.

Peters et al. 2018, Deep contextualized word representations (ELMo), https://arxiv.org/abs/1802.05365, section 3.1
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.foretelling import WordHead, figures, readers, share_of, surprise
from components.methods.keyed_dropout import read_dropping
from components.models.encoders import Encoder
from components.models.token_encoder import TokenEncoder


class BidirectionalLM(SelfSupervisedMethod):
    """Two language models that share the words' vectors and the layer that foretells, as in the paper.

    The paper weighs its layers anew for each task; here the encoder's vectors are the last layer's.
    """

    fits = ("tokens",)
    apart = True
    views = ("weak",)
    encoder: TokenEncoder
    sizes: Tensor  # (V,) bytes of each entry, none where they are not known

    class Config(BaseConfig):
        """dropout: share of the numbers that are left out of words' vectors, between blocks, and of what an LSTM has
        read, as training goes on; for texts that are read many times (Zaremba et al. 2014, https://arxiv.org/abs/1409.2329).
        """

        dropout: float = Field(default=0.0, ge=0, lt=1)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder = readers(encoder, "bidirectional_lm", "halves")
        half = self.encoder.width // 2
        self.head = WordHead(half, self.encoder.table)
        self.ends = nn.Parameter(torch.zeros(2, half))
        self.dropout = config.dropout
        self.register_buffer("sizes", torch.tensor(encoder.given.sizes), persistent=False)

    def training_step(self, batch: Batch) -> StepOutput:
        """The mean over all words and both readers; see `figures` for the metrics."""
        views = batch.views[0]
        there = views > 0
        states = both_sides(read_dropping(self.encoder, views, self.dropout, batch), there, self.ends)
        scores = self.head(states[:, there].flatten(0, 1), self.encoder.table)
        targets = views[there].repeat(2)
        total = surprise(scores, targets)
        metrics = figures(total / max(1, len(targets)), scores, targets, self.sizes)
        return StepOutput(share_of(total, len(targets)), metrics)


def both_sides(vectors: Tensor, there: Tensor, ends: Tensor) -> Tensor:
    """`(2, B, L, H)`: what the reader from the left knows before each word, and the other behind it.

    vectors: `(B, L, 2 H)`, halves as `TokenEncoder.sees` has them; there: `(B, L)` where words are; ends: `(2, H)` what
    either knows before it has read any.
    """
    rightward, leftward = vectors.chunk(2, 2)
    first, last = (end.to(vectors.dtype).expand(len(vectors), 1, -1) for end in ends)
    known = torch.cat([there[:, 1:], torch.zeros_like(there[:, :1])], 1)[..., None]
    behind = torch.where(known, torch.cat([leftward[:, 1:], last], 1), last)
    return torch.stack([torch.cat([first, rightward[:, :-1]], 1), behind])
