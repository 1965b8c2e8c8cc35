"""Logistic regression as anybody would fit it, its strength chosen by held-out examples, for baselines.

Not `chosen_head`: torch's solver loads torch's compiler, seconds of it, into stages that train nothing.
"""

import numpy as np
import numpy.typing as npt

from components.models.chosen_head import MOST, STRENGTHS, dealt_folds
from components.models.standardize import centered

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
USUAL = 0.01  # where no example can be held out
STEPS = 100


def answer(known: Floats, targets: Floats, asked: Floats) -> npt.NDArray[np.int64]:
    """Classes `(A,)` of `asked` `(A, D)` by a regression on `known` `(L, D)` with distributions `targets` `(L, K)`.

    Features are centered and divided by one number; the strength is that of `STRENGTHS` with the least cross-entropy of
    up to `MOST` examples, each held out once.
    """
    columns = centered(known)
    inputs, answers = columns(known).numpy(), targets.astype(np.float64)
    some = np.unique(np.linspace(0, len(known) - 1, min(MOST, len(known))).astype(np.int64))
    folds, l2 = dealt_folds(targets[some].argmax(1)), USUAL
    if (folds >= 0).any():
        l2 = min(STRENGTHS, key=lambda one: _held_out(inputs[some], answers[some], folds, one))
    matrix = _solved(inputs, answers, l2)
    return np.asarray((columns(asked).numpy() @ matrix[:-1] + matrix[-1]).argmax(1), np.int64)


def _held_out(inputs: Doubles, answers: Doubles, folds: npt.NDArray[np.int64], l2: float) -> float:
    total = 0.0
    for fold in np.unique(folds[folds >= 0]):
        out = folds == fold
        matrix = _solved(inputs[~out], answers[~out], l2)
        total -= float((answers[out] * _log_shares(inputs[out] @ matrix[:-1] + matrix[-1])).sum())
    return total


def _solved(inputs: Doubles, answers: Doubles, l2: float) -> Doubles:
    """`(D + 1, K)`: weights, below them biases; fewer examples than columns are solved in the space they span."""
    from scipy.optimize import minimize

    basis = None
    if len(inputs) < inputs.shape[1]:
        basis, spanned = np.linalg.qr(inputs.T)
        inputs = spanned.T
    design = np.hstack([inputs, np.ones((len(inputs), 1))])
    shape = design.shape[1], answers.shape[1]

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        matrix = flat.reshape(shape)
        logs = _log_shares(design @ matrix)
        slope = design.T @ (np.exp(logs) * answers.sum(1, keepdims=True) - answers) + l2 * matrix
        return -(answers * logs).sum() + l2 / 2 * np.square(matrix).sum(), slope.ravel()

    found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    matrix = found.x.reshape(shape)
    return matrix if basis is None else np.vstack([basis @ matrix[:-1], matrix[-1]])


def _log_shares(logits: Doubles) -> Doubles:
    from scipy.special import log_softmax

    return np.asarray(log_softmax(logits, axis=1))
