"""ViT-S: a transformer over patches of the picture; for many pictures and an accelerator.

Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929, in the size of DeiT-S (Touvron et al. 2021), with the mean of
the patches in place of a class token (Beyer et al. 2022, https://arxiv.org/abs/2205.01580).
"""

import math

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.core.errors import WinnowError
from components.models.encoders import Encoder


class VitSmall(Encoder):
    """`depth` blocks of `dim` 384 with 6 heads, fixed sine-cosine positions."""

    class Config(BaseConfig):
        """patch: its side in pixels, empty for 1/8 of the picture's; width: `dim`, a multiple of 4 and of heads."""

        patch: int | None = Field(default=None, ge=1)
        width: int = Field(default=384, ge=4)
        depth: int = Field(default=12, ge=1)
        heads: int = Field(default=6, ge=1)

    def __init__(self, channels: int, image_size: int, config: Config) -> None:
        super().__init__(channels, image_size)
        patch = config.patch or max(1, image_size // 8)
        if image_size % patch or config.width % config.heads or config.width % 4:
            raise WinnowError(
                f"vit_small cannot cut pictures of {image_size} pixels into patches of {patch}, or {config.width} into "
                f"{config.heads} heads: in pretrain.encoder choose a patch that divides the size, heads and 4 that "
                "divide the width."
            )
        self.dim = config.width
        self.patches = nn.Conv2d(channels, self.dim, patch, patch)
        self.side = image_size // patch
        self.register_buffer("positions", _positions(self.side, self.side, self.dim), persistent=False)
        self.blocks = nn.Sequential(*(_Block(self.dim, config.heads) for _ in range(config.depth)))
        self.norm = nn.LayerNorm(self.dim)

    def forward(self, pictures: Tensor) -> Tensor:
        """`(N, C, S, S)` -> `(N, 384)`: the mean over the patches.

        Takes pictures of another side too, such as local views; what is left over beside whole patches is not seen.
        Raises WinnowError for those smaller than a patch.
        """
        assert isinstance(self.positions, Tensor)
        patch = self.patches.kernel_size[0]
        if pictures.shape[2] < patch:
            raise WinnowError(
                f"vit_small: pictures of {pictures.shape[2]} pixels hold no patch of {patch}: choose a smaller patch "
                "in pretrain.encoder, or a smaller shrink in augment.policies."
            )
        maps = self.patches(pictures)
        side, positions = maps.shape[2], self.positions
        if side != self.side:
            positions = _positions(side, self.side, self.dim).to(positions)
        tokens = maps.flatten(2).transpose(1, 2) + positions
        vectors: Tensor = self.norm(self.blocks(tokens)).mean(1)
        return vectors


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        count, length, width = tokens.shape
        parts = self.mix(self.norm1(tokens)).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(count, length, width)
        tokens = tokens + self.out(mixed)
        result: Tensor = tokens + self.mlp(self.norm2(tokens))
        return result


def _positions(side: int, span: int, width: int) -> Tensor:
    """`(side^2, width)` sines and cosines of row and column, a quarter each (Vaswani et al. 2017, in 2-D).

    span: the side of the grid that the encoder is made for; another is spread over it, as an enlarged picture would be.
    """
    quarter = width // 4
    rates = torch.exp(torch.arange(quarter) * (-math.log(10_000) / quarter))
    places = (torch.arange(side) + 0.5) * (span / side) - 0.5
    angles = places[:, None] * rates  # (side, width / 4)
    rows = torch.cat([angles.sin(), angles.cos()], 1)[:, None].expand(side, side, 2 * quarter)
    return torch.cat([rows, rows.transpose(0, 1)], 2).reshape(side * side, width)
