"""The transformer's block, and where its tokens are: what encoders and decoders over patches or words share.

Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, normalized first as in Dosovitskiy et al. 2021,
https://arxiv.org/abs/2010.11929; rotary positions: Su et al. 2021, https://arxiv.org/abs/2104.09864.
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

    @property
    def adding(self) -> list[nn.Linear]:
        """The layers that end its residual branches."""
        last = self.mlp[-1]
        assert isinstance(last, nn.Linear)
        return [self.out, last]

    def forward(self, tokens: Tensor, seen: Tensor | None = None, turns: Tensor | None = None) -> Tensor:
        """`(N, L, width)` -> the same shape, for any L.

        seen: `(N or 1, 1, L or 1, L)`, true where a token (row) looks at another (column), all where it is None; turns:
        see `rotary_turns`.
        """
        count, length, width = tokens.shape
        parts = self.mix(self.norm1(tokens)).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        if turns is not None:
            query, key = turned(query, turns), turned(key, turns)
        mixed = attention(query, key, value, seen).transpose(1, 2).reshape(count, length, width)
        tokens = tokens + self.out(mixed)
        result: Tensor = tokens + self.mlp(self.norm2(tokens))
        return result


def attention(query: Tensor, key: Tensor, value: Tensor, seen: Tensor | None = None) -> Tensor:
    """`(N, heads, L, D)`: what each token takes from those it looks at; `seen` as a block has it.

    With a mask on a CPU in float32 at least: there bfloat16, which makes the layers beside it three times as fast, has
    taken five times as long.
    """
    if seen is None or query.device.type != "cpu":
        return F.scaled_dot_product_attention(query, key, value, seen)
    given = value.dtype
    with torch.autocast("cpu", enabled=False):
        query, key, value = (one.to(torch.promote_types(given, torch.float32)) for one in (query, key, value))
        return F.scaled_dot_product_attention(query, key, value, seen).to(given)


def rotary_turns(length: int, width: int) -> Tensor:
    """`(2, length, width / 2)`: cosines and sines of the angles by which pairs of numbers turn at each place."""
    rates = torch.exp(torch.arange(width // 2) * (-2 * math.log(10_000) / width))
    angles = torch.arange(length)[:, None] * rates
    return torch.stack([angles.cos(), angles.sin()])


def turned(values: Tensor, turns: Tensor) -> Tensor:
    """`(..., L, width)`: number i and i + width / 2 of each as one pair, turned by its place's angle (equation 34)."""
    (cosines, sines), (first, second) = turns.to(values.dtype), values.chunk(2, -1)
    return torch.cat([first * cosines - second * sines, first * sines + second * cosines], -1)


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
