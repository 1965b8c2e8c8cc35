"""ViT-S: a transformer over patches of the picture; for many pictures and an accelerator.

Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929, in the size of DeiT-S (Touvron et al. 2021), with the mean of
the patches in place of a class token (Beyer et al. 2022, https://arxiv.org/abs/2205.01580).
"""

from pydantic import Field
from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.core.errors import WinnowError
from components.modalities import Input
from components.models.encoders import Encoder
from components.models.transformer_block import TransformerBlock, sine_positions


class VitSmall(Encoder):
    """`depth` blocks of `dim` 384 with 6 heads, fixed sine-cosine positions."""

    takes = ("pixels",)

    class Config(BaseConfig):
        """patch: its side in pixels, empty for 1/8 of the picture's; width: `dim`, a multiple of 4 and of heads; depth:
        blocks; heads: of each block's attention.
        """

        patch: int | None = Field(default=None, ge=1)
        width: int = Field(default=384, ge=4, le=8192)
        depth: int = Field(default=12, ge=1, le=256)
        heads: int = Field(default=6, ge=1, le=256)

    def __init__(self, given: Input, config: Config) -> None:
        super().__init__(given)
        channels, image_size, _ = given.shape
        patch = config.patch or max(1, image_size // 8)
        if image_size % patch or config.width % config.heads or config.width % 4:
            raise WinnowError(
                f"vit_small cannot cut pictures of {image_size} pixels into patches of {patch}, or {config.width} into "
                f"{config.heads} heads: in pretrain.encoder choose a patch that divides the size, heads and 4 that "
                "divide the width."
            )
        self.dim, self.patch = config.width, patch
        self.patches = nn.Conv2d(channels, self.dim, patch, patch)
        self.side = image_size // patch
        self.register_buffer("positions", sine_positions(self.side, self.dim), persistent=False)
        self.blocks = nn.Sequential(*(TransformerBlock(self.dim, config.heads) for _ in range(config.depth)))
        self.norm = nn.LayerNorm(self.dim)

    def forward(self, pictures: Tensor) -> Tensor:
        """`(N, C, S, S)` -> `(N, 384)`: the mean over the patches."""
        return self.encode(self.embed(pictures)).mean(1)

    def block_list(self) -> list[nn.Module]:
        """The blocks of the transformer."""
        return list(self.blocks)

    def embed(self, pictures: Tensor) -> Tensor:
        """`(N, C, S, S)` -> `(N, L, dim)` tokens that know their places: one per patch of side `patch`, row by row.

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
            positions = sine_positions(side, self.dim, span=self.side).to(positions)
        tokens: Tensor = maps.flatten(2).transpose(1, 2) + positions
        return tokens

    def encode(self, tokens: Tensor) -> Tensor:
        """Any number of tokens `(N, L', dim)` out of `embed` -> as many vectors that saw each other, normalized."""
        vectors: Tensor = self.norm(self.blocks(tokens))
        return vectors
