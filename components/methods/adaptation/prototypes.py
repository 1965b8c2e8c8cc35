"""Prototypes: the encoder stays as it is, a picture goes to the class whose mean is nearest; one label a class will do.

Snell, Swersky & Zemel 2017, Prototypical networks for few-shot learning, https://arxiv.org/abs/1703.05175 (section 2.3
and, for the linear layer, 2.4), here on a network trained without labels.
"""

import numpy as np
import torch
from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.methods.contracts import AdaptationMethod, Batch, Floats, Positions, StepOutput
from components.methods.labeled_loss import labeled_loss
from components.models.encoders import Encoder
from components.models.standardize import standardize

USUAL = 5.0  # scale of squared distances: ten times the cosine of unit vectors (Gidaris & Komodakis 2018, 1804.09458)
PRIOR_DEVIATION = 0.5  # of log s: a few labels, all told apart, do not prove certainty
BOUNDS = (0.05, 500.0)


class Prototypes(AdaptationMethod):
    """Logits `-s |z - c_k|^2` of standardized vectors z and weighted class means c_k, as a linear layer.

    `|z|^2` is the same for every class, so softmax does without it: weights `2 s c_k`, biases `-s |c_k|^2`.
    """

    frozen_encoder = True
    views = ()

    class Config(BaseConfig):
        """Nothing to choose."""

    def __init__(self, encoder: Encoder, classes: int, config: Config) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
        self.head: nn.Module = nn.Linear(encoder.dim, classes)

    def fit_head(self, pool: Floats, rows: Positions, targets: Floats, weights: Floats) -> float:
        """The class means, and the scale s likeliest for examples whose own part in the means is taken out.

        A class without any example has no mean: no sample of the pool is nearer to it than to another.
        """
        columns = standardize(pool)
        shares = torch.from_numpy((weights[:, None] * targets).astype(np.float64))  # (M, K)
        inputs, masses = columns(pool[rows]), shares.sum(0)
        means = (shares / masses.clamp_min(1e-12)).T @ inputs  # (K, D)
        scale = _scale(torch.cdist(inputs, means).square(), shares)
        matrix, bias = 2 * scale * means, -scale * means.square().sum(1)
        bias[masses == 0] = (columns(pool) @ matrix.T + bias)[:, masses > 0].min()
        self.head = columns.head(matrix, bias)
        return _cross_entropy(inputs @ matrix.T + bias, shares)

    def training_step(self, batch: Batch) -> StepOutput:
        """Cross-entropy of vectors `(B, D)`: what a step on the prototypes would see."""
        return StepOutput(labeled_loss(self.head(batch.views[0]), batch))


def _scale(distances: Tensor, shares: Tensor) -> float:
    """The likeliest scale under a log-normal prior around the usual one, given squared distances `(M, K)`.

    Without example i a mean c of mass W is `(W c - m z_i) / (W - m)`, so its distance to z_i grows by `W / (W - m)`.
    Examples alone in a class say nothing.
    """
    from scipy.optimize import minimize_scalar

    masses = shares.sum(0)
    rest = masses - shares
    known = ((rest > 1e-9 * masses) | (shares == 0)).all(1)
    others = distances * (masses / rest.clamp_min(1e-12)).square()
    others = torch.where(masses > 0, others, torch.inf)[known]

    def loss(log_scale: float) -> float:
        logits = (-np.exp(log_scale) * others).clamp_min(torch.finfo(torch.float64).min)
        fit = _cross_entropy(logits, shares[known]) * float(shares[known].sum()) if len(logits) else 0.0
        return fit + float(log_scale - np.log(USUAL)) ** 2 / (2 * PRIOR_DEVIATION**2)

    best = minimize_scalar(loss, bounds=tuple(np.log(BOUNDS)), method="bounded", options={"xatol": 1e-5})
    return float(np.exp(best.x))


def _cross_entropy(logits: Tensor, shares: Tensor) -> float:
    """Mean over the examples, weighted; shares `(M, K)`: weights times class distributions."""
    return float(-(shares * logits.log_softmax(1)).sum() / shares.sum())
