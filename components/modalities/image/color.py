"""All color operations on a picture as one affine map of its channels.

Brightness, contrast, saturation, hue (a turn of the chroma plane in YIQ) and grayscale are linear, the contrast's mean
aside, and all but brightness and contrast keep the luma: so their order does not matter, and one map does them all.
"""

import torch
from torch import Tensor

from components.modalities.image.recipe import Recipe

YIQ = torch.tensor(
    [(0.2989, 0.5870, 0.1140), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112)], dtype=torch.float64
)  # the first row is torchvision's gray


class Colors:
    """The colors of a batch's recipe and the normalization by `mean` and `std` (per channel, on a scale of 0 to 1)."""

    def __init__(self, recipe: Recipe, mean: list[float], std: list[float]) -> None:
        center, spread = (torch.tensor(values, device=recipe.hue.device)[:, None] for values in (mean, std))
        pixel, average = color_maps(recipe, len(mean))
        self._pixel, self._average = pixel / (255 * spread), average / (255 * spread)
        self._zero = (-center / spread).expand(len(pixel), -1, 1)
        self._bounds = [(-m / s, (1 - m) / s) for m, s in zip(mean, std, strict=True)]

    def __call__(self, pictures: Tensor, part: slice, *, out: Tensor) -> None:
        """Color, clamp and normalize pixels (0 to 255) `(b, C, H, W)`, a `part` of the batch, into `out`."""
        offset = torch.baddbmm(self._zero[part], self._average[part], pictures.mean((2, 3))[:, :, None])
        torch.baddbmm(offset, self._pixel[part], pictures.flatten(2), out=out.flatten(2))
        for channel, (low, high) in enumerate(self._bounds):
            out[:, channel].clamp_(low, high)


def color_maps(recipe: Recipe, channels: int) -> tuple[Tensor, Tensor]:
    """Two maps `(B, C, C)` whose results are added: one of each pixel's channels, one of the picture's channel means.

    A saturation of 0 is grayscale. One channel knows neither saturation nor hue.
    """
    gain = (recipe.brightness * recipe.contrast)[:, None, None]
    lift = (recipe.brightness * (1 - recipe.contrast))[:, None, None]
    if channels == 1:
        return gain, lift
    gray, chroma, turned = (part.to(gain) for part in _chroma_basis())
    angle = 2 * torch.pi * recipe.hue
    along, across = recipe.saturation * angle.cos(), recipe.saturation * angle.sin()
    return gain * (gray + along[:, None, None] * chroma + across[:, None, None] * turned), lift * gray


def _chroma_basis() -> tuple[Tensor, Tensor, Tensor]:
    """Three `(3, 3)` maps: to gray, of the chroma onto itself, and of the chroma turned by a right angle."""
    back = torch.linalg.inv(YIQ)
    turned = torch.stack([YIQ[2], -YIQ[1]])  # the way that HSV counts hue
    return back[:, :1] @ YIQ[:1], back[:, 1:] @ YIQ[1:], back[:, 1:] @ turned
