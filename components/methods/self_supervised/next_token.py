"""Next-token language model: each word of a text is foretold from those before it.

Radford, Narasimhan, Salimans & Sutskever 2018, GPT, Improving language understanding by generative pre-training;
Bengio et al. 2003, https://www.jmlr.org/papers/v3/bengio03a.html
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


class NextToken(SelfSupervisedMethod):
    """A causal encoder, and a vector of its own that the first word is foretold from. The unknown word is one too."""

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
        self.encoder = readers(encoder, "next_token", "before")
        self.head = WordHead(self.encoder.width, self.encoder.table)
        self.start = nn.Parameter(torch.zeros(self.encoder.width))
        self.dropout = config.dropout
        self.register_buffer("sizes", torch.tensor(encoder.given.sizes), persistent=False)

    def training_step(self, batch: Batch) -> StepOutput:
        """The mean over all words; see `figures` for the metrics."""
        views = batch.views[0]
        states = shifted(read_dropping(self.encoder, views, self.dropout, batch), self.start)
        there = views > 0
        scores, targets = self.head(states[there], self.encoder.table), views[there]
        total = surprise(scores, targets)
        metrics = figures(total / max(1, len(targets)), scores, targets, self.sizes)
        return StepOutput(share_of(total, len(targets)), metrics)


def shifted(vectors: Tensor, start: Tensor) -> Tensor:
    """`(B, L, width)` each one place on, `start` `(width,)` at the first: what is known before each word."""
    first = start.to(vectors.dtype).expand(len(vectors), 1, -1)
    return torch.cat([first, vectors[:, :-1]], 1)
