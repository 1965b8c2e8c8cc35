"""LSTM: a text is read word by word from the left, and apart from that from the right; no reader knows of the other.

Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735; the two readers of ELMo (Peters et al. 2018,
https://arxiv.org/abs/1802.05365).
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.modalities import Input
from components.models.encoders.transformer import mean_of
from components.models.residual_start import DEVIATION
from components.models.token_encoder import TokenEncoder


class Lstm(TokenEncoder):
    """`table` of words, and a stack of LSTMs each way; a text's vector is the mean of its words'."""

    class Config(BaseConfig):
        """width: numbers of a word's vector; hidden: of what each reader keeps, so that `dim` is twice that; depth:
        layers; bidirectional: whether there is one from the right too.
        """

        width: int = Field(default=128, ge=2, le=8192)
        hidden: int = Field(default=128, ge=1, le=8192)
        depth: int = Field(default=1, ge=1, le=16)
        bidirectional: bool = True

    def __init__(self, given: Input, config: Config) -> None:
        super().__init__(given)
        self.table = nn.Embedding(given.symbols, config.width, padding_idx=0)
        nn.init.normal_(self.table.weight, std=DEVIATION)
        self.rightward = nn.LSTM(config.width, config.hidden, config.depth, batch_first=True)
        self.leftward = (
            nn.LSTM(config.width, config.hidden, config.depth, batch_first=True) if config.bidirectional else None
        )
        self.sees = "halves" if config.bidirectional else "before"
        self.dim = self.width = config.hidden * (2 if config.bidirectional else 1)

    def embed(self, views: Tensor) -> Tensor:
        """As the base says; an LSTM needs no places."""
        tokens: Tensor = self.table(views)
        return tokens

    def encode(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """As the base says: what the reader from the left knows at each word, then what the other does."""
        rightward, _ = self.rightward(tokens)
        if self.leftward is None:
            return torch.as_tensor(rightward)
        order = _turned(mask)[..., None]
        back, _ = self.leftward(tokens.gather(1, order.expand_as(tokens)))
        return torch.cat([rightward, back.gather(1, order.expand_as(back))], 2)

    def pool(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """The mean."""
        return mean_of(vectors, mask)


def _turned(mask: Tensor) -> Tensor:
    """`(B, L)` places of each text's words from its last to its first; what stands behind them stays there."""
    places, lengths = torch.arange(mask.shape[1], device=mask.device), mask.sum(1, keepdim=True)
    return torch.where(places < lengths, lengths - 1 - places, places)
