"""A linear head whose strength and scaling are those that name held-out examples best, each held out once."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from components.models.linear_head import cross_entropy, solve
from components.models.standardize import Standardize, centered, standardize

Floats = npt.NDArray[np.float32]
STRENGTHS = (0.01, 0.1, 1.0)
SCALINGS = {"each": standardize, "all": centered}  # columns by their own deviations, or all by one number
USUAL = ("each", 0.01)  # where too few examples are there to hold any out
FOLDS = 3
MOST = 200  # examples that the choice is made on


@dataclass(frozen=True)
class Chosen:
    """head `(B, D) -> (B, K)`; loss: mean cross-entropy of its examples; scaling, l2: what was chosen."""

    head: nn.Linear
    loss: float
    scaling: str
    l2: float


def fit_chosen(pool: Floats, rows: npt.NDArray[np.int64], targets: Floats, weights: Floats) -> Chosen:
    """As `fit_linear`, arguments too, but `l2` and how columns are scaled have the least held-out cross-entropy.

    Folds are dealt within classes, so that none takes a class away; a class of one example is never held out.
    """
    scaled = {name: scaling(pool) for name, scaling in SCALINGS.items()}
    some = np.unique(np.linspace(0, len(rows) - 1, min(MOST, len(rows))).astype(np.int64))
    folds = dealt_folds(targets[some].argmax(1))
    scaling, l2 = USUAL
    if (folds >= 0).any():
        losses = {
            (name, strength): _held_out(scaled[name], pool[rows[some]], targets[some], weights[some], folds, strength)
            for name, strength in product(SCALINGS, STRENGTHS)
        }
        scaling, l2 = min(losses, key=lambda one: losses[one])
    columns = scaled[scaling]
    matrix, bias, loss = _solved(columns(pool[rows]), targets, weights, l2)
    return Chosen(columns.head(matrix, bias), loss, scaling, l2)


def dealt_folds(classes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """`(M,)` fold of each example, -1 for the only one of its class."""
    folds = np.full(len(classes), -1)
    for number in np.unique(classes):
        members = np.flatnonzero(classes == number)
        if len(members) > 1:
            folds[members] = np.arange(len(members)) % FOLDS
    return folds


def _held_out(
    columns: Standardize,
    vectors: Floats,
    targets: Floats,
    weights: Floats,
    folds: npt.NDArray[np.int64],
    l2: float,
) -> float:
    """Summed cross-entropy of examples by heads that did not see their fold."""
    inputs, total = columns(vectors), 0.0
    for fold in np.unique(folds[folds >= 0]):
        out = folds == fold
        matrix, bias, _ = _solved(inputs[~out], targets[~out], weights[~out], l2)
        total += float(cross_entropy(inputs[out] @ matrix.T + bias, *_doubles(targets[out], weights[out])))
    return total


def _solved(inputs: Tensor, targets: Floats, weights: Floats, l2: float) -> tuple[Tensor, Tensor, float]:
    """`(K, D)`, `(K,)` and the mean cross-entropy; fewer examples than columns are solved in the space they span."""
    answers, parts = _doubles(targets, weights)
    if len(inputs) < inputs.shape[1]:
        basis, spanned = torch.linalg.qr(inputs.T)  # (D, M), (M, M): the penalty is the same there
        short, bias = solve(spanned.T, answers, parts, l2)
        matrix = short @ basis.T
    else:
        matrix, bias = solve(inputs, answers, parts, l2)
    loss = cross_entropy(inputs @ matrix.T + bias, answers, parts) / parts.sum()
    return matrix, bias, float(loss)


def _doubles(targets: Floats, weights: Floats) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(targets.astype(np.float64)), torch.from_numpy(weights.astype(np.float64))
