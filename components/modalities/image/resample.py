"""Resampling of pictures: stretching and blur as one matrix per axis, anything turned by bilinear sampling."""

import torch
import torch.nn.functional as F
from torch import Tensor

FAINTEST = 1e-8


def axis_sources(center: Tensor, extent: Tensor, size: int) -> Tensor:
    """Where on an axis of `size` pixels each output pixel looks, `(B, size)`, so that part of it fills the whole.

    center, extent: `(B,)` shares of the axis; a negative extent mirrors. Up to the axis's ends its last pixels reach;
    what is beyond fades to black within a pixel.
    """
    pixels = torch.arange(size, device=center.device) + 0.5
    sources = (center * size)[:, None] + extent[:, None] * (pixels - size / 2)
    beyond = sources.clamp(max=0) + (sources - size).clamp(min=0)
    return sources.clamp(0.5, size - 0.5) + beyond


def axis_weights(sources: Tensor) -> Tensor:
    """Bilinear weights `(B, size, size)` of the source's pixels for each output pixel.

    A view is as large as its source, so a crop is only ever enlarged, where torchvision's antialias does nothing.
    """
    pixels = torch.arange(sources.shape[1], device=sources.device) + 0.5
    return (sources[:, :, None] - pixels).abs_().neg_().add_(1).clamp_(min=0)


def blur_taps(sigma: Tensor, size: int) -> Tensor:
    """Gaussian taps `(B, 3 size - 2)` at distances from `1 - size`, summing to 1, 0 from `size` on; sigma: `(B,)`."""
    distance = torch.arange(1 - size, 2 * size - 1, device=sigma.device).abs()
    taps = (distance.square() * (-0.5 / sigma.clamp(min=1e-3).square())[:, None]).clamp_(min=-80).exp_()
    taps = torch.where((taps > FAINTEST) & (distance < size), taps, 0)  # products of tiny numbers are slow
    return taps / taps.sum(1, keepdim=True)


def blur_weights(taps: Tensor, size: int) -> Tensor:
    """Gaussian blur along an axis with mirrored ends, `(B, size, size)`, rows sum to 1.

    Equal to torchvision's gaussian_blur with a kernel that is long enough; sigma 0 is the identity.
    """
    mirrored = taps[:, size - 1 :].unfold(1, size, 1).clone()  # at i + j: the axis goes on beyond its first pixel
    mirrored[:, :, 0] = 0  # which is no mirror image of itself
    near = taps[:, : 2 * size - 1].unfold(1, size, 1).flip(1)  # at i - j
    return near.add_(mirrored).add_(mirrored.flip(1, 2))


def resample(pictures: Tensor, rows: Tensor, columns: Tensor, *, scratch: Tensor, out: Tensor) -> Tensor:
    """`rows @ picture @ columns^T` for each channel into `out`: `(B, C, H, W)` with `(B, H, H)` and `(B, W, W)`.

    Memory that is already in the cache makes this twice as fast as fresh memory: hence `scratch`, shaped like `out`.
    """
    batch, channels, height, width = pictures.shape
    lines = (batch, channels * height, width)
    torch.bmm(pictures.view(lines), columns.transpose(1, 2), out=scratch.view(lines))
    for channel in range(channels):
        torch.bmm(rows, scratch[:, channel], out=out[:, channel])
    return out


def warp(pictures: Tensor, affine: Tensor) -> Tensor:
    """Bilinear sampling `(B, C, H, W)` at an affine map of the output's pixels, black outside.

    affine: `(B, 2, 3)`, from output to source coordinates, both in [-1, 1]; as in torch's `affine_grid`, but ten times
    as fast on a CPU.
    """
    height, width = pictures.shape[2:]
    x = (torch.arange(width, device=affine.device) * 2 + 1) / width - 1
    y = (torch.arange(height, device=affine.device) * 2 + 1) / height - 1
    along = affine[:, None, :, 0] * x[:, None]  # (B, W, 2)
    down = affine[:, None, :, 1] * y[:, None] + affine[:, None, :, 2]  # (B, H, 2)
    grid = along[:, None] + down[:, :, None]
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
