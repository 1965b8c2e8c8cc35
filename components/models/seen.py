"""What a classifier's training pictures were like, kept with it, so that a picture unlike them is told from others.

A picture is foreign that is farther from some of the training pictures, by cosine of what the head sees, than `LEVEL`
of other training pictures are: Sun et al. 2022, Out-of-distribution detection with deep nearest neighbors,
https://arxiv.org/abs/2204.06507
"""

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

from components.core.config import Config

KEPT = 1000  # training pictures that others are compared with
COMPARED = 2000  # further training pictures, by which it is known how far is far
LEVEL = 0.05  # of the training pictures' own kind are called foreign
FEWEST = 40  # training pictures below which nothing can be said
_GRAY = ("1", "L", "LA", "La")

Floats = npt.NDArray[np.float32]


class Seen(Config):
    """forms: `gray`, `deep gray`, `color`; sides: of the shorter side, pixels; aspect: highest of long to short side.

    vectors: `(R, F)` unit vectors in base64 of int8, 127 for 1; center: `(F,)` float32 in base64, what is taken off
    before; nearest: the cosine below which a picture is foreign. All three empty where there were too few pictures.
    """

    forms: list[str]
    sides: tuple[int, int]
    aspect: float
    vectors: str = ""
    center: str = ""
    nearest: float = -1.0

    def foreign(self, features: Floats) -> npt.NDArray[np.bool_] | None:
        """`(N,)` for features `(N, F)`; None where nothing can be said."""
        if not self.vectors:
            return None
        center = np.frombuffer(base64.b64decode(self.center), "<f4")
        kept = np.frombuffer(base64.b64decode(self.vectors), np.int8).reshape(-1, len(center))
        return np.asarray(_closeness(features, center, kept) < self.nearest)


def form_of(mode: str) -> str:
    """`gray`, `deep gray` or `color`, by Pillow's mode."""
    if mode in _GRAY:
        return "gray"
    return "deep gray" if mode[0] in "IF" else "color"


def reference(features: Floats) -> dict[str, Any]:
    """`vectors`, `center` and `nearest` of `Seen`, from the features `(N, F)` of training pictures in random order."""
    if len(features) < FEWEST:
        return {}
    count = min(KEPT, len(features) // 2)
    center = features[:count].mean(axis=0)
    kept = np.rint(127 * _unit(features[:count] - center)).astype(np.int8)
    nearest = float(np.quantile(_closeness(features[count:], center, kept), LEVEL))
    texts = (base64.b64encode(part.tobytes()).decode() for part in (kept, center.astype("<f4")))
    return {"vectors": next(texts), "center": next(texts), "nearest": round(nearest, 6)}


def _closeness(features: Floats, center: Floats, kept: npt.NDArray[np.int8]) -> Floats:
    return np.asarray((_unit(features - center) @ (kept.astype(np.float32) / 127).T).max(axis=1))


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)
