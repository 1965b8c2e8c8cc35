"""Averaged word vectors: a text is the mean of its words' vectors, rare words counting more (SIF).

Arora, Liang & Ma 2017, A simple but tough-to-beat baseline for sentence embeddings,
https://openreview.net/forum?id=SyK00v5xx
"""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.modalities import Input
from components.models.encoders import Encoder


class WordVectors(Encoder):
    """`table` `(V, width)` of word vectors, and `weights` `(V,)`: `a / (a + p)` of a word's share p of all words.

    `common` `(width,)` is a direction, of length 1 or 0, that is taken out of every text's vector: what most texts
    share tells none from another (the paper's algorithm 1). Who trains the table measures it (see `settle`). `dim` is
    `width`.
    """

    takes = ("tokens",)
    weights: Tensor
    common: Tensor

    class Config(BaseConfig):
        """width: numbers of a word's vector; smoothing: the paper's a; 0 counts all words alike."""

        width: int = Field(100, ge=2, le=4096)
        smoothing: float = Field(1e-3, ge=0)

    def __init__(self, given: Input, config: Config) -> None:
        super().__init__(given)
        self.table = nn.Embedding(given.symbols, config.width, padding_idx=0)
        nn.init.uniform_(self.table.weight, -0.5 / config.width**0.5, 0.5 / config.width**0.5)
        self.register_buffer("weights", _weights(given, config.smoothing))
        self.register_buffer("common", torch.zeros(config.width))
        self.dim = config.width

    def forward(self, views: Tensor) -> Tensor:
        """Numbers of words `(N, T)` -> `(N, width)`; of a text without a known word what no word is."""
        vectors = self.pooled(views)
        return vectors - (vectors @ self.common)[:, None] * self.common

    def pooled(self, views: Tensor) -> Tensor:
        """`(N, T)` -> `(N, width)`: the weighted sum by the number of words, of which unknown ones are none."""
        weights = self.weights[views].to(self.table.weight.dtype)
        sums = F.embedding_bag(views, self.table.weight, per_sample_weights=weights, mode="sum")
        return sums / (weights > 0).sum(1, keepdim=True).clamp_min(1)

    @torch.no_grad()
    def sentence_parts(self, tokenizer: bytes, length: int) -> tuple[Mapping[str, str], Mapping[str, Any]]:
        """A table whose rows are weighted, and without `common`, already."""
        rows = self.table.weight * self.weights[:, None]
        rows = rows - (rows @ self.common)[:, None] * self.common
        place = "0_StaticEmbedding"
        modules = {place: "StaticEmbedding", "1_Normalize": "Normalize"}
        weights = {"embedding.weight": rows.cpu().contiguous()}
        return modules, {f"{place}/tokenizer.json": tokenizer, f"{place}/model.safetensors": weights}

    @torch.no_grad()
    def settle(self, products: Tensor) -> None:
        """Take over as `common` the first direction of what `pooled` makes of many texts: of the mean `(width, width)`
        of each vector's product with itself.
        """
        direction = torch.linalg.eigh(products.double()).eigenvectors[:, -1]
        upright = direction[direction.abs().argmax()].sign()  # of the two, always the same one
        self.common.copy_(direction * upright if products.any() else 0 * direction)


def _weights(given: Input, smoothing: float) -> Tensor:
    """`(V,)`; nothing for what is no word: 0 and 1, the end and the unknown."""
    shares = torch.tensor(given.frequencies or [1.0] * given.symbols)
    weights = smoothing / (smoothing + shares) if smoothing else torch.ones_like(shares)
    weights[:2] = 0
    return weights
