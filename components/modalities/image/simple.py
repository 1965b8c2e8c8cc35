"""What a picture is by its colors alone, and by a few large pixels: what a simple baseline stands on."""

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from components.modalities import Array

SIDE = 16  # large pixels of a side
LOOKED = 64  # pixels of a side, at most, that a histogram counts
GRAYS, COLORS = 32, 8  # shades of gray; of each of three colors, all of which together are a bin


def simple_features(pictures: Array) -> dict[str, npt.NDArray[np.float32]]:
    """`(N, F)` of `(N, C, S, S)` uint8 pictures, by what they are: means of 16 x 16 parts, and counts of colors.

    Counts are shares of a picture, under square roots, so that Euclidean distances are Hellinger's.
    """
    side = min(SIDE, pictures.shape[-1])
    parts = F.adaptive_avg_pool2d(torch.from_numpy(pictures).float(), side).flatten(1) / 255
    kind = "gray histogram" if pictures.shape[1] == 1 else "color histogram"
    return {"small pixels": parts.numpy(), kind: np.sqrt(_shares(pictures))}


def _shares(pictures: Array) -> npt.NDArray[np.float32]:
    step = -(-pictures.shape[-1] // LOOKED)
    seen = pictures[:, :, ::step, ::step].astype(np.int64)
    levels = GRAYS if seen.shape[1] == 1 else COLORS
    bins = np.zeros((len(seen), *seen.shape[2:]), np.int64)
    for channel in range(seen.shape[1]):
        bins = bins * levels + seen[:, channel] * levels // 256
    count = levels ** seen.shape[1]
    places = bins.reshape(len(seen), -1) + count * np.arange(len(seen))[:, None]
    counts = np.bincount(places.ravel(), minlength=count * len(seen)).reshape(len(seen), count)
    return np.asarray(counts / places.shape[1], np.float32)
