"""What a classifier's training samples were like, kept with it, so that a sample unlike them is told from others.

A sample is foreign that is farther from some of the training samples, by cosine of what the head sees, than `LEVEL`
of other training samples are: Sun et al. 2022, Out-of-distribution detection with deep nearest neighbors,
https://arxiv.org/abs/2204.06507
"""

import base64
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from components.core.config import Config

KEPT = 1000  # training samples that others are compared with
COMPARED = 2000  # further training samples, by which it is known how far is far
LEVEL = 0.05  # of the training samples' own kind are called foreign
FEWEST = 40  # training samples below which nothing can be said
_PICTURES = {"forms", "sides", "aspect"}

Floats = npt.NDArray[np.float32]


class Seen(Config):
    """facts: the `summary` of their facts by their kind of data.

    vectors: `(R, F)` unit vectors in base64 of int8, 127 for 1; center: `(F,)` float32 in base64, what is taken off
    before; nearest: the cosine below which a sample is foreign. All three empty where there were too few samples.
    """

    facts: dict[str, Any]
    vectors: str = ""
    center: str = ""
    nearest: float = -1.0

    @model_validator(mode="before")
    @classmethod
    def _of_pictures_alone(cls, values: Any) -> Any:
        """Files from before there were other kinds of data hold the facts of pictures one by one."""
        if not isinstance(values, dict) or "facts" in values or not values.keys() >= _PICTURES:
            return values
        others = {name: value for name, value in values.items() if name not in _PICTURES}
        return {**others, "facts": {name: values[name] for name in _PICTURES}}

    def foreign(self, features: Floats) -> npt.NDArray[np.bool_] | None:
        """`(N,)` for features `(N, F)`; None where nothing can be said."""
        if not self.vectors:
            return None
        center = np.frombuffer(base64.b64decode(self.center), "<f4")
        kept = np.frombuffer(base64.b64decode(self.vectors), np.int8).reshape(-1, len(center))
        return np.asarray(_closeness(features, center, kept) < self.nearest)


def reference(features: Floats) -> dict[str, Any]:
    """`vectors`, `center` and `nearest` of `Seen`, from the features `(N, F)` of training samples in random order."""
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
