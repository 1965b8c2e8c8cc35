"""A small transformer over the words of a text, which sees all of it or, where it is causal, what came before.

Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, normalized first; both ways as BERT (Devlin et al. 2019,
https://arxiv.org/abs/1810.04805), causal as GPT (Radford et al. 2018).
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.core.errors import WinnowError
from components.modalities import Input
from components.models.residual_start import DEVIATION
from components.models.token_encoder import TokenEncoder
from components.models.transformer_row import TransformerRow


class Transformer(TokenEncoder):
    """`table` of words, places that are learned or turned, a row of blocks; a text's vector is its words' mean."""

    class Config(BaseConfig):
        """width: `dim`, a multiple of heads; depth: blocks; heads: of each block's attention; positions: `rotary`, or
        `learned` for each of the places that ingest.modality.length gives; causal: a word sees those before it alone;
        pool: a text's vector is the `mean` of its words' or that of the `first`.
        """

        width: int = Field(default=128, ge=2, le=8192)
        depth: int = Field(default=4, ge=1, le=256)
        heads: int = Field(default=4, ge=1, le=256)
        positions: Literal["learned", "rotary"] = "rotary"
        causal: bool = False
        pool: Literal["mean", "first"] = "mean"

    def __init__(self, given: Input, config: Config) -> None:
        super().__init__(given)
        _check(config)
        self.dim = self.width = config.width
        self.first, rotary = config.pool == "first", config.positions == "rotary"
        self.sees = "before" if config.causal else "all"
        self.table = nn.Embedding(given.symbols, self.dim, padding_idx=0)
        nn.init.normal_(self.table.weight, std=DEVIATION)
        self.places = None if rotary else nn.Parameter(torch.randn(given.shape[0], self.dim) * DEVIATION)
        self.blocks = TransformerRow(self.dim, config.heads, config.depth, causal=config.causal, rotary=rotary)
        self.norm = nn.LayerNorm(self.dim)

    def block_list(self) -> list[nn.Module]:
        """The blocks of the transformer."""
        return list(self.blocks)

    def embed(self, views: Tensor) -> Tensor:
        """As the base says."""
        tokens: Tensor = self.table(views)
        return tokens if self.places is None else tokens + self.places[: views.shape[1]]

    def encode(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """As the base says, normalized."""
        vectors: Tensor = self.norm(self.blocks(tokens, mask))
        return vectors

    def pool(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """The mean, or the first."""
        return vectors[:, 0] if self.first else mean_of(vectors, mask)


def mean_of(vectors: Tensor, mask: Tensor) -> Tensor:
    """`(B, L, d)` -> `(B, d)`: the mean over those that the mask `(B, L)` is true for."""
    weights = mask.to(vectors.dtype)[..., None]
    return (vectors * weights).sum(1) / weights.sum(1)


def _check(config: Transformer.Config) -> None:
    """Raise WinnowError for settings that do not go together."""
    if config.width % config.heads:
        raise WinnowError(
            f"transformer cannot share a width of {config.width} among {config.heads} heads: in pretrain.encoder "
            "choose heads that divide the width."
        )
    if config.positions == "rotary" and (config.width // config.heads) % 2:
        raise WinnowError(
            f"transformer turns pairs of numbers, and heads of {config.width // config.heads} have none: in "
            "pretrain.encoder choose a width of twice as many numbers a head, or positions: learned."
        )
    if config.causal and config.pool == "first":
        raise WinnowError(
            "transformer: the first word of a text sees nothing of it where pretrain.encoder.causal is true: set pool "
            "to mean."
        )
