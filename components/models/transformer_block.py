"""The transformer's block, and where in a picture its tokens are: what encoders and decoders over patches share.

Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, normalized first as in Dosovitskiy et al. 2021,
https://arxiv.org/abs/2010.11929.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TransformerBlock(nn.Module):
    """Every token looks at all, then an MLP four times as wide; `heads` divide `width`."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """`(N, L, width)` -> the same shape, for any L."""
        count, length, width = tokens.shape
        parts = self.mix(self.norm1(tokens)).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(count, length, width)
        tokens = tokens + self.out(mixed)
        result: Tensor = tokens + self.mlp(self.norm2(tokens))
        return result


def sine_positions(side: int, width: int, *, span: int | None = None) -> Tensor:
    """`(side^2, width)` sines and cosines of row and column, a quarter each (Vaswani et al. 2017, in 2-D).

    span: the side of the grid that a network is made for; another is spread over it, as an enlarged picture would be.
    """
    quarter = width // 4
    rates = torch.exp(torch.arange(quarter) * (-math.log(10_000) / quarter))
    places = (torch.arange(side) + 0.5) * ((span or side) / side) - 0.5
    angles = places[:, None] * rates  # (side, width / 4)
    rows = torch.cat([angles.sin(), angles.cos()], 1)[:, None].expand(side, side, 2 * quarter)
    return torch.cat([rows, rows.transpose(0, 1)], 2).reshape(side * side, width)
