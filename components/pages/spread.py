"""All samples on the plane of those that the map shows: each beside the ones that its vector is most like."""

import numpy as np
import numpy.typing as npt

from components.core import seeds
from components.pages.plane import plane

NEAREST = 3
REACH = 0.06  # of the side: of the nearest, those farther from the first than this lie in another group
SPREAD = 0.007  # of the side: standard deviation, so that equal places do not hide each other
SHARPNESS = 20.0
BLOCK = 4096  # rows at a time


def spread(vectors: npt.NDArray[np.float32], chosen: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.float64]:
    """`(N, 2)` in [0, 1] for vectors `(N, D)`. The chosen rows lie where the map has them (see `plane`); the others at
    the mean of their nearest chosen by cosine, the more similar the heavier, and a little beside it at random.
    """
    anchors = np.asarray(vectors[chosen])
    at, unit = plane(anchors, seed), _unit(anchors)
    places = np.empty((len(vectors), 2))
    for start in range(0, len(vectors), BLOCK):
        similar = _unit(np.asarray(vectors[start : start + BLOCK])) @ unit.T
        near = np.argsort(-similar, axis=1, kind="stable")[:, :NEAREST]
        weights = np.exp(SHARPNESS * np.take_along_axis(similar, near, 1).astype(np.float64))
        weights *= np.linalg.norm(at[near] - at[near[:, :1]], axis=2) <= REACH
        places[start : start + BLOCK] = (at[near] * weights[..., None]).sum(1) / weights.sum(1)[:, None]
    places += SPREAD * seeds.numpy_generator(seed, "explore").normal(size=places.shape)
    places[chosen] = at
    return np.clip(places, 0, 1)


def _unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)
