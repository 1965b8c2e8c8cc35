"""Which samples of the pool look like nothing that was labeled: a class nobody asked for, or no picture of use."""

import numpy as np
import numpy.typing as npt

from components.methods.clusters import nearest, unit
from components.methods.contracts import Floats, Positions


def look_foreign(vectors: Floats, labeled: Positions, folds: Positions, level: float) -> npt.NDArray[np.bool_]:
    """`(N,)`: True where the conformal p-value of "as near to a label as labels are to each other" is at most `level`.

    vectors: `(N, D)`, centered here, compared by cosine; labeled: `(L,)` rows of them with folds `(L,)`. Each label of
    a fold above -1 is held against the labels of other folds, every other sample against all. Of n such labels, a
    p-value is at least 1 / (n + 1): with fewer than 1 / level - 1 none looks foreign, and labels themselves never do.

    If labels were a random part of their classes, at most `level` of the known classes' samples were called foreign;
    labels chosen to lie apart make it fewer.
    Source: Bates et al. 2023, Testing for outliers with conformal p-values, https://arxiv.org/abs/2104.08279
    """
    points = unit(vectors - vectors.mean(axis=0))
    known = points[labeled]
    held_out = [
        nearest(known[folds == fold], known[folds != fold])[0].numpy()
        for fold in np.unique(folds[folds >= 0])
        if (folds != fold).any()
    ]
    scores = np.sort(np.concatenate([np.empty(0, np.float32), *held_out]))
    closeness = nearest(points, known)[0].numpy()
    p_values = (1 + np.searchsorted(scores, closeness, side="right")) / (1 + len(scores))
    foreign: npt.NDArray[np.bool_] = p_values <= level
    foreign[labeled] = False
    return foreign
