"""How good predictions are, with bootstrap intervals: accuracy, macro-F1, NLL, Brier, calibration, paired gain.

Every metric here is a function of sums over samples of a few columns. So a bootstrap resample is one row of counts
times those columns, and all resamples together are a matrix product (Efron & Tibshirani 1993, percentile interval).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from components.core.seeds import numpy_generator

Doubles = npt.NDArray[np.float64]
Probabilities = npt.NDArray[np.floating[Any]]  # (N, K), rows sum to 1
Integers = npt.NDArray[np.int64]
BLOCK = 4_000_000  # counts held at once
BINS = 15


@dataclass(frozen=True)
class Interval:
    """A metric on the whole sample and the percentile interval of its bootstrap resamples."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Metric:
    """`columns`: `(N, M)` per-sample terms; `of`: `(..., M)` means of them -> `(...)` values of the metric."""

    columns: Doubles
    of: Callable[[Doubles], Doubles]

    @property
    def value(self) -> float:
        """The metric on the sample as it is."""
        return float(self.of(self.columns.mean(axis=0)))


def accuracy(probabilities: Probabilities, actual: Integers) -> Metric:
    """Share of samples whose most probable class is the actual one."""
    return _mean((probabilities.argmax(axis=1) == actual).astype(np.float64))


def coverage(sets: npt.NDArray[np.bool_], actual: Integers) -> Metric:
    """Share of samples whose actual class is in their set; `(N, K)` sets."""
    return _mean(sets[np.arange(len(actual)), actual].astype(np.float64))


def negative_log_likelihood(probabilities: Probabilities, actual: Integers) -> Metric:
    """Mean of -ln p(actual class), in nats."""
    chosen = probabilities[np.arange(len(actual)), actual].astype(np.float64)
    return _mean(-np.log(np.clip(chosen, np.finfo(np.float32).tiny, None)))


def brier(probabilities: Probabilities, actual: Integers) -> Metric:
    """Mean squared distance to the one-hot truth, summed over classes: 0 to 2 (Brier 1950)."""
    return _mean(((probabilities.astype(np.float64) - np.eye(probabilities.shape[1])[actual]) ** 2).sum(axis=1))


def macro_f1(probabilities: Probabilities, actual: Integers) -> Metric:
    """Mean over classes of F1 = 2 tp / (predicted + actual); a class neither predicted nor present is left out."""
    one = np.eye(probabilities.shape[1])
    predicted, truth = one[probabilities.argmax(axis=1)], one[actual]

    def value(means: Doubles) -> Doubles:
        hits, support = np.split(means, 2, axis=-1)
        f1 = np.divide(2 * hits, support, out=np.zeros_like(hits), where=support > 0)
        return np.asarray(f1.sum(axis=-1) / (support > 0).sum(axis=-1))

    return Metric(np.hstack([predicted * truth, predicted + truth]), value)


def calibration_error(probabilities: Probabilities, actual: Integers, *, bins: int = BINS) -> Metric:
    """Expected calibration error: sum over equal-width bins of share x |accuracy - confidence| (Guo et al. 2017)."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    member = np.eye(bins)[_bin(confidence, bins)]
    surplus = confidence - (probabilities.argmax(axis=1) == actual)
    return Metric(member * surplus[:, None], lambda means: np.abs(means).sum(axis=-1))


def reliability(probabilities: Probabilities, actual: Integers, *, bins: int = BINS) -> list[tuple[float, float, int]]:
    """Per non-empty bin, from unsure to sure: mean confidence, accuracy, number of samples."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == actual
    member = _bin(confidence, bins)
    rows = [(member == index) for index in range(bins)]
    return [(float(confidence[row].mean()), float(correct[row].mean()), int(row.sum())) for row in rows if row.any()]


def bootstrap(metric: Metric, *, resamples: int, seed: int, confidence: float = 0.95) -> Interval:
    """The metric with its percentile interval over `resamples` resamplings of the samples with replacement.

    Same seed and number of samples: the same resamples for every metric.
    """
    count = len(metric.columns)
    generator = numpy_generator(seed, "bootstrap")
    block = max(1, BLOCK // count)
    values = []
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = generator.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        values.append(metric.of(counts @ metric.columns / count))
    low, high = np.quantile(np.concatenate(values), _tails(confidence))
    return Interval(metric.value, float(low), float(high))


def paired_difference(
    correct_a: npt.NDArray[np.bool_],
    correct_b: npt.NDArray[np.bool_],
    resamples: int,
    seed: int,
    confidence: float,
) -> tuple[float, float, float]:
    """Accuracy of a minus that of b on the same `(N,)` samples, and the low and high end of its bootstrap interval.

    A sample's difference is -1, 0 or 1, so a resample is one draw of three counts, whatever N.
    """
    difference = correct_a.astype(np.int64) - correct_b.astype(np.int64)
    shares = np.array([(difference == value).mean() for value in (-1, 0, 1)])
    drawn = numpy_generator(seed, "paired").multinomial(len(difference), shares / shares.sum(), size=resamples)
    low, high = np.quantile((drawn[:, 2] - drawn[:, 0]) / len(difference), _tails(confidence))
    return float(difference.mean()), float(low), float(high)


def mcnemar(correct_a: npt.NDArray[np.bool_], correct_b: npt.NDArray[np.bool_]) -> float:
    """Exact two-sided p-value that a and b are equally accurate: a binomial test of the samples where they differ."""
    from scipy.stats import binomtest

    only_a, only_b = int((correct_a & ~correct_b).sum()), int((correct_b & ~correct_a).sum())
    return float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def _mean(values: Doubles) -> Metric:
    return Metric(values[:, None], lambda means: means[..., 0])


def _bin(confidence: Doubles, bins: int) -> Integers:
    return np.clip((np.ceil(confidence * bins) - 1).astype(np.int64), 0, bins - 1)


def _tails(confidence: float) -> tuple[float, float]:
    return (1 - confidence) / 2, (1 + confidence) / 2
