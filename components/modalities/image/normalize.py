"""The channels' mean and deviation, and pictures normalized by them."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.datasets.sample_store import BLOCK, Samples


def normalize(pictures: Tensor, mean: list[float], std: list[float]) -> Tensor:
    """`(N, C, S, S)` uint8 -> float32 `(x / 255 - mean) / std`, channel by channel."""
    scale = torch.tensor([1 / (255 * s) for s in std], device=pictures.device).reshape(-1, 1, 1)
    shift = torch.tensor([m / s for m, s in zip(mean, std, strict=True)], device=pictures.device).reshape(-1, 1, 1)
    return pictures.float() * scale - shift


def channel_statistics(
    samples: Samples, positions: npt.NDArray[np.int64], channels: int
) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel over some rows of pictures `(N, C, H, W)`, on a scale of 0 to 1.

    Read a block at a time and counted in whole numbers, so that neither memory nor rounding grows with the data set. A
    channel that never changes gets the deviation of one gray level.
    """
    counts = np.zeros((channels, 256), np.int64)
    for start in range(0, len(positions), BLOCK):
        block = samples[positions[start : start + BLOCK]]
        for channel in range(channels):
            counts[channel] += np.bincount(block[:, channel].ravel(), minlength=256)
    levels, weights = np.arange(256) / 255, counts / counts.sum(1, keepdims=True)
    mean = weights @ levels
    deviation = np.sqrt((weights * (levels - mean[:, None]) ** 2).sum(1))
    return mean.tolist(), np.maximum(deviation, 1 / 255).tolist()
