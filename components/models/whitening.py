"""Whitening: vectors without correlations, all directions alike, so that near is not what a few loud directions say.

Kessy, Lewin & Strimmer 2018, Optimal whitening and decorrelation, https://arxiv.org/abs/1512.00809 (PCA whitening)
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEAST = 1e-3  # variance, as a share of the largest one, that is added to each: what hardly varies is mostly noise


class Whitening(nn.Module):
    """`(N, D)` -> `(N, K)`, each row of length 1. Until `fit` they get that length alone, or are 0 where K < D."""

    mean: Tensor
    matrix: Tensor

    def __init__(self, given: int, kept: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(given))
        self.register_buffer("matrix", torch.eye(given) if kept == given else torch.zeros(given, kept))

    def forward(self, vectors: Tensor) -> Tensor:
        """The components that are kept."""
        return F.normalize((vectors.float() - self.mean) @ self.matrix, dim=1)

    def fit(self, vectors: Tensor) -> None:
        """Learn from `(N, D)`: the directions of most variance, each divided by its deviation."""
        rows = vectors.double()
        self.mean.copy_(rows.mean(0))
        variances, axes = torch.linalg.eigh((rows - rows.mean(0)).T.cov())
        variances, axes = variances.flip(0), axes.flip(1)[:, : self.matrix.shape[1]]
        signs = axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()  # an axis has no sign of its own
        deviations = (variances[: axes.shape[1]] + LEAST * variances[0].clamp_min(1e-12)).sqrt()
        self.matrix.copy_(axes * signs / deviations)
