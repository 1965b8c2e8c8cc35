"""A linear head on fixed vectors: multinomial logistic regression with soft targets and weights, solved exactly."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from components.models.standardize import standardize

Floats = npt.NDArray[np.float32]
MAX_STEPS = 200


def fit_linear(
    pool: Floats,
    rows: npt.NDArray[np.int64],
    targets: Floats,
    weights: Floats,
    *,
    l2: float,
) -> tuple[nn.Linear, float]:
    """The head `(B, D) -> (B, K)` of least `sum_i w_i CE(target_i, head(x_i)) + l2 / 2 ||W, b||^2`, and its mean CE.

    pool: `(N, D)` vectors; each column is standardized over the whole pool, labeled or not, and the scaling is folded
    into the head. rows: `(M,)` of them (repeats allowed) with `targets` `(M, K)` distributions and `weights` `(M,)`.
    `W` is the matrix on standardized columns divided by sqrt(D), so that `l2` means the same for every encoder; the
    penalty on `b` keeps a class without any label improbable, not impossible. Strictly convex, float64, L-BFGS with
    strong Wolfe search: the optimum is unique and needs no learning rate.
    """
    columns = standardize(pool)
    inputs = columns(pool[rows])  # (M, D)
    answers = torch.from_numpy(targets.astype(np.float64))
    parts = torch.from_numpy(weights.astype(np.float64))
    matrix, bias = solve(inputs, answers, parts, l2)
    loss = cross_entropy(inputs @ matrix.T + bias, answers, parts) / parts.sum()
    return columns.head(matrix, bias), float(loss)


def solve(inputs: Tensor, answers: Tensor, parts: Tensor, l2: float) -> tuple[Tensor, Tensor]:
    """`(K, D)` and `(K,)` of the least penalized loss; inputs `(M, D)`, answers `(M, K)`, parts `(M,)`, all float64."""
    matrix = torch.zeros(answers.shape[1], inputs.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(answers.shape[1], dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS(
        [matrix, bias], max_iter=MAX_STEPS, tolerance_grad=1e-7, history_size=20, line_search_fn="strong_wolfe"
    )
    total = parts.sum()

    def loss() -> Tensor:
        solver.zero_grad()
        penalty = l2 / 2 * (matrix.square().sum() + bias.square().sum())
        value = (cross_entropy(inputs @ matrix.T + bias, answers, parts) + penalty) / total
        value.backward()  # type: ignore[no-untyped-call]
        return value

    solver.step(loss)  # type: ignore[no-untyped-call]
    return matrix.detach(), bias.detach()


def cross_entropy(logits: Tensor, answers: Tensor, parts: Tensor) -> Tensor:
    """Summed, weighted by `parts`."""
    return -(parts * (answers * logits.log_softmax(dim=1)).sum(dim=1)).sum()
