"""What an accuracy has to beat: chance, the most frequent class, a logistic regression on what anybody would try."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from components.datasets.sample_store import Samples
from components.judging import metrics as measures
from components.judging import plain_regression
from components.modalities import Modality

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
BLOCK = 256  # samples at a time
MAJORITY = "the most frequent class"
CURE = "more labels, or weights that others trained (docs/other_weights.md), are where to look"


@dataclass(frozen=True)
class Drawn:
    """How intervals are drawn: bootstrap resamples, their seed, and the share that an interval holds."""

    resamples: int
    seed: int
    confidence: float


def simple_features(modality: Modality, samples: Samples, rows: Integers) -> dict[str, Floats]:
    """The kind of data's simple features of `samples[rows]`, `(M, F)` each, a block at a time; {} where it has none."""
    parts = [modality.simple_features(samples[rows[start : start + BLOCK]]) for start in range(0, len(rows), BLOCK)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def simple_answers(
    modality: Modality, samples: Samples, known: Integers, targets: Floats, asked: Integers
) -> dict[str, Integers]:
    """Classes `(A,)` of `samples[asked]` by simple means that learn from the labels alone.

    known: `(L,)` rows that `targets` `(L, K)` are the labels of. They are `MAJORITY` and, for each kind of simple
    features, a logistic regression whose strength held-out labels choose.
    """
    answers = {MAJORITY: np.full(len(asked), int(targets.sum(axis=0).argmax()))}
    features = simple_features(modality, samples, np.concatenate([known, asked]))
    for name, found in features.items():
        answers[name] = plain_regression.answer(found[: len(known)], targets, found[len(known) :])
    return answers


def beside(said: Integers, answers: dict[str, Integers], actual: Integers, classes: int, how: Drawn) -> dict[str, Any]:
    """What stands beside a model that says `said` `(A,)`, ready for JSON.

    `chance`; in `rows`, by name, each baseline's `accuracy` with its interval and what the model gains over it, paired;
    `why`: a sentence where the model is not better than the best of them beyond chance, else empty.
    """
    one_hot = np.eye(classes)
    rows: dict[str, dict[str, float]] = {}
    for name, answer in answers.items():
        metric = measures.accuracy(one_hot[answer], actual)
        own = measures.bootstrap(metric, resamples=how.resamples, seed=how.seed, confidence=how.confidence)
        right = said == actual, answer == actual
        gain, low, high = measures.paired_difference(*right, how.resamples, how.seed, how.confidence)
        row = {"accuracy": own.value, "accuracy_low": own.low, "accuracy_high": own.high}
        rows[described(name)] = row | {"gain": gain, "gain_low": low, "gain_high": high}
    best = max(rows, key=lambda name: rows[name]["accuracy"])
    return {"chance": 1 / classes, "rows": rows, "why": _why(best, rows[best])}


def described(name: str) -> str:
    """A baseline, for people."""
    return name if name == MAJORITY else f"logistic regression on {name}"


def _why(name: str, row: dict[str, float]) -> str:
    if row["gain_low"] > 0:
        return ""
    how = "worse" if row["gain_high"] < 0 else "not better beyond chance"
    return (
        f"This model is {how} than {name}, which comes to {row['accuracy']:.4f} on the same labels "
        f"(difference {row['gain']:+.4f}, interval {row['gain_low']:+.4f} to {row['gain_high']:+.4f}); {CURE}."
    )
