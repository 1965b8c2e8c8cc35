"""Where the pixels of a view come from: crop, flip, shift, turn, shear and blur of a batch, done part by part."""

import torch
from torch import Tensor

from components.modalities.image.recipe import Recipe
from components.modalities.image.resample import (
    axis_sources,
    axis_weights,
    blur_taps,
    blur_weights,
    resample,
    warp,
)


class Geometry:
    """The geometry of a batch's recipe; without turns all of it is two matrix products per picture.

    turns: whether any picture may be turned or sheared, which takes bilinear sampling in place of the products.
    """

    def __init__(self, recipe: Recipe, height: int, width: int, *, turns: bool) -> None:
        self._maps = affine_maps(recipe, width / height) if turns else None
        self._rows = axis_sources(recipe.center_y, recipe.height * recipe.flip_y, height)
        self._columns = axis_sources(recipe.center_x, recipe.width * recipe.flip_x, width)
        self._sigma = recipe.sigma
        self._down = blur_taps(recipe.sigma, height)
        self._across = blur_taps(recipe.sigma, width)

    def __call__(self, pictures: Tensor, part: slice, *, scratch: Tensor, out: Tensor) -> Tensor:
        """The moved pixels of `pictures` `(b, C, H, W)`, the batch's `part`; they may lie in `out`, shaped alike."""
        blurred = self._sigma[part].nonzero().flatten()
        some = len(blurred)
        if self._maps is not None:
            moved = warp(pictures, self._maps[part])
            if some:
                moved[blurred] = resample(
                    moved[blurred], *self._blurs(part, blurred), scratch=scratch[:some], out=out[:some]
                )
            return moved
        rows, columns = axis_weights(self._rows[part]), axis_weights(self._columns[part])
        if some:
            down, across = self._blurs(part, blurred)
            rows[blurred] = torch.bmm(down, rows[blurred])
            columns[blurred] = torch.bmm(across, columns[blurred])
        return resample(pictures, rows, columns, scratch=scratch, out=out)

    def _blurs(self, part: slice, blurred: Tensor) -> tuple[Tensor, Tensor]:
        """Blur weights along both axes, the same ones on square pictures."""
        height, width = self._rows.shape[1], self._columns.shape[1]
        down = blur_weights(self._down[part][blurred], height)
        return down, down if width == height else blur_weights(self._across[part][blurred], width)


def cut_out(recipe: Recipe, part: slice, height: int, width: int) -> Tensor:
    """Mask `(b, 1, H, W)` of the squares hidden in a part of the batch; a center may lie near the border.

    Cutout (DeVries & Taylor 2017, https://arxiv.org/abs/1708.04552).
    """
    sides = recipe.cut[part, None] / 2
    y, x = (((torch.arange(size, device=sides.device) + 0.5) / size) for size in (height, width))
    rows = (y - recipe.cut_y[part, None]).abs() < sides
    columns = (x - recipe.cut_x[part, None]).abs() < sides
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def affine_maps(recipe: Recipe, aspect: float) -> Tensor:
    """The `(B, 2, 3)` maps for `warp`: the recipe's box, flipped, turned and sheared; aspect: width / height."""
    turn = torch.deg2rad(recipe.angle)
    cos, sin = turn.cos(), turn.sin()
    extent_x, extent_y = recipe.width * recipe.flip_x, recipe.height * recipe.flip_y
    along_x = torch.stack([cos - sin * recipe.shear_y, (sin + cos * recipe.shear_y) * aspect], 1)
    along_y = torch.stack([(cos * recipe.shear_x - sin) / aspect, sin * recipe.shear_x + cos], 1)
    shift = torch.stack([recipe.center_x, recipe.center_y], 1) * 2 - 1
    return torch.stack([along_x * extent_x[:, None], along_y * extent_y[:, None], shift], 2)
