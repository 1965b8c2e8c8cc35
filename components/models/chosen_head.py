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
SCALES = np.geomspace(0.25, 64, 25).tolist()  # inverse temperatures that are tried
MOST = 200  # examples that the choice is made on


@dataclass(frozen=True)
class Chosen:
    """head `(B, D) -> (B, K)`; loss: mean cross-entropy of its examples; scaling, l2: what was chosen."""

    head: nn.Linear
    loss: float
    scaling: str
    l2: float


def fit_chosen(
    pool: Floats, rows: npt.NDArray[np.int64], targets: Floats, weights: Floats, *, balanced: bool = False
) -> Chosen:
    """As `fit_linear`, arguments too, but `l2` and how columns are scaled have the least held-out cross-entropy.

    Held-out logits are first divided by the temperature that suits them best, since one is fitted afterwards anyway:
    else weak penalties win for being sure. Folds are dealt within classes, so that none takes a class away; a class of
    one example is never held out. balanced: weights are changed so that all classes with examples weigh the same.
    """
    weights = _balanced(targets, weights) if balanced else weights
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
    """Summed cross-entropy of examples by heads that did not see their fold, at the temperature that suits best."""
    inputs = columns(vectors)
    logits = torch.zeros(len(vectors), targets.shape[1], dtype=torch.float64)
    for fold in np.unique(folds[folds >= 0]):
        out = folds == fold
        matrix, bias, _ = _solved(inputs[~out], targets[~out], weights[~out], l2)
        logits[out] = inputs[out] @ matrix.T + bias
    held = folds >= 0
    answers = _doubles(targets[held], weights[held])
    return min(float(cross_entropy(scale * logits[held], *answers)) for scale in SCALES)


def _balanced(targets: Floats, weights: Floats) -> Floats:
    """Weights of the same sum, of which each class with examples has an equal part."""
    shares = weights @ targets  # (K,)
    some = shares > 0
    factors = np.where(some, shares.sum() / np.where(some, shares, 1) / some.sum(), 0)
    return np.asarray(weights * (targets @ factors), np.float32)


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
