"""Standardized vectors: each column around 0, so that no column counts more for its units; foldable into a head."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Standardize:
    """`(x - mean) / scale` by column; mean and scale `(D,)` float64, infinite for columns that never change.

    The scale is the deviation times sqrt(D): squared lengths are about 1 for every encoder.
    """

    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]

    def __call__(self, vectors: npt.NDArray[np.float32]) -> Tensor:
        """`(M, D)` vectors -> the same standardized, float64."""
        return torch.from_numpy((vectors - self.mean) / self.scale)

    def head(self, matrix: Tensor, bias: Tensor) -> nn.Linear:
        """The head that gives of plain vectors what `matrix` `(K, D)` and `bias` `(K,)` give of standardized ones."""
        head = nn.Linear(matrix.shape[1], matrix.shape[0])
        folded = matrix / torch.from_numpy(self.scale)
        with torch.no_grad():
            head.weight.copy_(folded)
            head.bias.copy_(bias - folded @ torch.from_numpy(self.mean))
        return head


def standardize(pool: npt.NDArray[np.float32]) -> Standardize:
    """By mean and deviation of the columns of `pool` `(N, D)`, labeled or not."""
    mean = pool.mean(axis=0, dtype=np.float64)
    scale = pool.std(axis=0, dtype=np.float64)
    scale = np.where(scale > 1e-9 * max(float(scale.max(initial=0.0)), 1e-30), scale, np.inf) * np.sqrt(pool.shape[1])
    return Standardize(mean, scale)


def centered(pool: npt.NDArray[np.float32]) -> Standardize:
    """Columns of `pool` `(N, D)` around 0, all divided by one number, so that squared lengths are about 1."""
    spread = np.sqrt(max(float(pool.var(axis=0, dtype=np.float64).sum()), 1e-30))
    return Standardize(pool.mean(axis=0, dtype=np.float64), np.full(pool.shape[1], spread))
