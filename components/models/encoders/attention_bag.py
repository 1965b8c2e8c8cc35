"""A bag of words with attention: a text is the mean of its words' vectors, those counting more that say more.

Lin et al. 2017, A structured self-attentive sentence embedding, https://arxiv.org/abs/1703.03130, section 2.1, with one
row of attention and words in place of an LSTM's states.
"""

import math

import torch
from pydantic import Field
from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.modalities import Input
from components.models.residual_start import DEVIATION
from components.models.token_encoder import TokenEncoder


class AttentionBag(TokenEncoder):
    """`table` of words; `asked` and `score` say how much each counts: `softmax(w2 tanh(W1 h))` over the text."""

    sees = "itself"

    class Config(BaseConfig):
        """width: `dim`; hidden: of the layer that weighs words."""

        width: int = Field(default=128, ge=2, le=8192)
        hidden: int = Field(default=64, ge=1, le=8192)

    def __init__(self, given: Input, config: Config) -> None:
        super().__init__(given)
        self.dim = self.width = config.width
        self.table = nn.Embedding(given.symbols, self.dim, padding_idx=0)
        nn.init.normal_(self.table.weight, std=DEVIATION)
        self.asked, self.score = nn.Linear(self.dim, config.hidden), nn.Linear(config.hidden, 1, bias=False)

    def embed(self, views: Tensor) -> Tensor:
        """As the base says; places do not count."""
        tokens: Tensor = self.table(views)
        return tokens

    def encode(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """The tokens themselves: in a bag no word sees another."""
        return tokens

    def pool(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """The mean by attention."""
        scores = self.score(torch.tanh(self.asked(vectors)))[..., 0].masked_fill(~mask, -math.inf)
        weighted: Tensor = scores.softmax(1)[..., None] * vectors
        return weighted.sum(1)
