"""Labels worth a second look: what a model that never saw a label says against it. The one place that imports cleanlab.

Confident learning: Northcutt, Jiang & Chuang 2021, https://arxiv.org/abs/1911.00068.
"""

import contextlib
import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.datasets.labels import Labels
from components.models.linear_head import fit_linear

Floats = npt.NDArray[np.float32]
L2 = 1.0  # strong: a head that fits wrong labels cannot find them
ENOUGH = 5  # labels per class that can be held out; below, one label is judged by next to nothing


@dataclass(frozen=True)
class Suspect:
    """A label in doubt. row: among the labels; given, said: class numbers; with the held-out model's probabilities."""

    row: int
    given: int
    said: int
    given_probability: float
    said_probability: float


def find_suspects(vectors: Floats, places: npt.NDArray[np.int64], labels: Labels) -> list[Suspect]:
    """Probable label errors, the worst first; empty where too few labels can be held out to judge any.

    vectors: `(M, D)` of the training split; places: `(L,)` rows of it, of the labels. Each label is judged by a linear
    head that was fitted without its fold; one that no fold holds out is not judged.
    """
    held = np.flatnonzero(labels.folds >= 0)
    if len(held) < ENOUGH * len(labels.classes):
        return []
    from cleanlab.filter import find_label_issues  # type: ignore[import-untyped]

    said = _out_of_fold(vectors, places, labels)[held]
    given = labels.distributions[held].argmax(1)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints advice
        found = find_label_issues(given, said, return_indices_ranked_by="self_confidence", n_jobs=1)
    return [
        Suspect(
            row=int(held[row]),
            given=int(given[row]),
            said=int(said[row].argmax()),
            given_probability=float(said[row, given[row]]),
            said_probability=float(said[row].max()),
        )
        for row in np.asarray(found).tolist()
        if said[row].argmax() != given[row]
    ]


def _out_of_fold(vectors: Floats, places: npt.NDArray[np.int64], labels: Labels) -> Floats:
    """`(L, K)` probabilities; rows of labels that no fold holds out are 0."""
    import torch

    said = np.zeros_like(labels.distributions)
    for fold in range(int(labels.folds.max()) + 1):
        mine = labels.folds == fold
        weights = np.ones(int((~mine).sum()), np.float32)
        head, _ = fit_linear(vectors, places[~mine], labels.distributions[~mine], weights, l2=L2)
        with torch.inference_mode():
            said[mine] = head(torch.from_numpy(np.array(vectors[places[mine]]))).softmax(1).numpy()
    return said
