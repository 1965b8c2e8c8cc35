"""Vectors judged by the labels one may look at: two probes, cross-validated, with intervals, and which to take."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.judging import metrics as measures
from components.judging import plain_regression
from components.judging.probes import named_by_others

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Correct = npt.NDArray[np.bool_]
LEVEL, CONFIDENCE, RESAMPLES = 0.05, 0.95, 2000


@dataclass(frozen=True)
class Known:
    """Labels `(L, K)` as distributions, and the fold `(L,)` that holds each out; -1: none does."""

    targets: Floats
    folds: Integers

    @property
    def held(self) -> Correct:
        """Which labels are held out once."""
        return self.folds >= 0

    @property
    def classes(self) -> Integers:
        """`(L,)` numbers."""
        return np.asarray(self.targets.argmax(axis=1), np.int64)


@dataclass(frozen=True)
class Probed:
    """Of the held-out labels, which a linear probe fitted without them names right, and which the nearest other one."""

    linear: Correct
    neighbor: Correct

    @property
    def right(self) -> int:
        """Of the linear probe."""
        return int(self.linear.sum())


def probe(vectors: Floats, known: Known) -> Probed:
    """Vectors `(L, D)` of the labeled samples."""
    named = np.full(len(vectors), -1)
    for fold in np.unique(known.folds[known.held]):
        out = known.folds == fold
        named[out] = plain_regression.answer(vectors[~out], known.targets[~out], vectors[out])
    near = named_by_others(vectors, known.classes)
    return Probed((named == known.classes)[known.held], (near == known.classes)[known.held])


def most_frequent(known: Known) -> Probed:
    """The most frequent class of the other folds, of every label."""
    named = np.full(len(known.targets), -1)
    for fold in np.unique(known.folds[known.held]):
        named[known.folds == fold] = known.targets[known.folds != fold].sum(axis=0).argmax()
    right = (named == known.classes)[known.held]
    return Probed(right, right)


def interval(right: Correct, seed: int) -> tuple[float, float, float]:
    """Share that is right, and the low and high end of its bootstrap interval."""
    said = measures.accuracy(np.stack([~right, right], axis=1).astype(np.float64), np.ones(len(right), np.int64))
    found = measures.bootstrap(said, resamples=RESAMPLES, seed=seed, confidence=CONFIDENCE)
    return found.value, found.low, found.high


def choose(probed: dict[str, Probed], cost: dict[str, float], simple: dict[str, Probed]) -> str:
    """Which encoder to take, as one paragraph: the best, or the cheapest of those that are not worse beyond chance.

    cost: of a sample, by the encoders' names; simple: what takes no encoder. By exact McNemar tests on held-out labels.
    """
    best = max(probed, key=lambda name: (probed[name].right, -cost[name]))
    labels = len(probed[best].linear)
    near = [name for name in probed if name != best and not _apart(probed[best], probed[name])]
    if near:
        cheapest = min([best, *near], key=lambda name: cost[name])
        counts = _listed([f"{probed[name].right} right" for name in (best, *near)])
        why = "costs least" if cost[cheapest] < cost[best] else "costs no more than the others"
        said = (
            f"{_listed([best, *near])} are not apart beyond chance on {labels} labels ({counts}): take {cheapest}, "
            f"which {why}."
        )
    else:
        cheapest = best
        others = [f"{name} {one.right}" for name, one in probed.items() if name != best]
        beside = f"; {_listed(others)}, worse beyond chance" if others else ""
        said = f"Take {best}: {probed[best].right} of {labels} held-out labels right{beside}."
    if not simple:
        return said
    rival = max(simple, key=lambda name: simple[name].right)
    if simple[rival].right >= probed[cheapest].right or not _apart(probed[cheapest], simple[rival]):
        said += f" It is not better beyond chance than {rival}, which needs no encoder ({simple[rival].right} right)."
    return said


def paid(continued: Probed, before: Probed) -> str:
    """Whether to go on training from given weights was worth it, in a few words."""
    gained = continued.right - before.right
    if not _apart(continued, before):
        return f"did not pay beyond chance ({gained:+d} of {len(before.linear)} labels)"
    return f"{'paid' if gained > 0 else 'made it worse'} ({gained:+d} of {len(before.linear)} labels)"


def _apart(one: Probed, other: Probed) -> bool:
    return measures.mcnemar(one.linear, other.linear) < LEVEL


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
