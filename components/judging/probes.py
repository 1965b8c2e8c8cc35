"""How good are vectors? k-nearest neighbors and a linear head on them, the encoder left as it is."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from components.methods.contracts import Floats
from components.models.linear_head import fit_linear

Classes = npt.NDArray[np.int64]
NEIGHBORS, TEMPERATURE = 20, 0.1
BLOCK = 1024  # queries at a time
L2 = 1.0  # of the linear probe's head, summed over all examples


def knn_accuracy(known: Floats, classes: Classes, queries: Floats, truth: Classes, *, k: int = NEIGHBORS) -> float:
    """Share of `queries` `(M, D)` whose class the `k` nearest of `known` `(N, D)` name, each with `exp(cosine / T)`.

    classes: `(N,)`, truth: `(M,)`, numbers from 0. Wu et al. 2018, https://arxiv.org/abs/1805.01978 (section 3.4).
    """
    count, reference, answers = int(classes.max()) + 1, _unit(known), torch.from_numpy(classes)
    right = 0
    for block, wanted in zip(
        torch.split(_unit(queries), BLOCK), torch.split(torch.from_numpy(truth), BLOCK), strict=True
    ):
        right += int((_votes(block @ reference.T, answers, count, k).argmax(1) == wanted).sum())
    return right / len(truth)


def leave_one_out_accuracy(vectors: Floats, classes: Classes, *, k: int = 1) -> float:
    """Share of `(N, D)` vectors whose class their `k` nearest others name: for the few labels one may look at."""
    return float((named_by_others(vectors, classes, k=k) == classes).mean())


def named_by_others(vectors: Floats, classes: Classes, *, k: int = 1) -> Classes:
    """`(N,)`: the class that the `k` nearest others of each vector name."""
    unit = _unit(vectors)
    similarities = (unit @ unit.T).fill_diagonal_(-2.0)
    votes = _votes(similarities, torch.from_numpy(classes), int(classes.max()) + 1, min(k, len(classes) - 1))
    return votes.argmax(1).numpy()


def linear_accuracy(known: Floats, classes: Classes, queries: Floats, truth: Classes, *, l2: float = L2) -> float:
    """Share of `queries` that a multinomial logistic regression on `known` gets right; arguments as above."""
    targets = np.eye(int(classes.max()) + 1, dtype=np.float32)[classes]
    weights = np.ones(len(classes), dtype=np.float32)
    head, _ = fit_linear(known, np.arange(len(known)), targets, weights, l2=l2)
    with torch.no_grad():
        predicted = head(torch.from_numpy(queries)).argmax(1).numpy()
    return float((predicted == truth).mean())


def _votes(similarities: Tensor, classes: Tensor, count: int, k: int) -> Tensor:
    """`(M, K)` summed weights of the k largest similarities of each row, by class."""
    values, indices = similarities.topk(min(k, similarities.shape[1]), dim=1)
    votes = torch.zeros(len(similarities), count)
    return votes.scatter_add_(1, classes[indices], (values / TEMPERATURE).exp())


def _unit(vectors: Floats) -> Tensor:
    return F.normalize(torch.from_numpy(vectors), dim=1)
