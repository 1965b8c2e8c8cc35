"""How accuracy grows with labels, measured on the labels alone, and where it goes: an inverse power law with interval.

Error of `n` labels: `a + b n^-c` (Hestness et al. 2017, https://arxiv.org/abs/1712.00409; extrapolating it for the size
of a data set: Figueroa et al. 2012, https://doi.org/10.1186/1472-6947-12-8). The interval is a bootstrap's: the labels
that answer, and the draws of those that are learned from, are resampled together, and the law is fitted to each. Its
ends are drawn apart by a factor that was chosen on digits (docs/log.md): alone they held 22 times of 30, not 27.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.core.seeds import numpy_generator
from components.judging.label_kernel import LabelKernel
from components.methods.contracts import Positions

Doubles = npt.NDArray[np.float64]
DRAWS, RESAMPLES = 40, 400
SIZES, LEAST, MOST = 8, 0.4, 0.95  # how many sizes, from and to which share of the labels: fewer follow another law
EXPONENTS = np.linspace(0.1, 2.0, 39)
CONFIDENCE = 0.9
STRETCH = 1.3  # of the bootstrap's interval, which knows neither the law's own error nor which labels there will be
NONE = 1e-4  # of accuracy or error
FAR, STEPS = 100, 2000  # how far is looked ahead, in times the labels measured, and how finely
_QUANTILES = ((1 - CONFIDENCE) / 2, 0.5, (1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class LearningCurve:
    """sizes: `(S,)` labels learned from; accuracy: `(S,)` on the others; laws: `(R, 3)`: a, b, c of each resample."""

    sizes: Doubles
    accuracy: Doubles
    laws: Doubles

    def at(self, labels: float) -> tuple[float, float, float]:
        """Accuracy expected of so many labels, and the low and high end of its interval."""
        middle, low, high = self._along(np.array([labels]))
        return float(middle[0]), float(low[0]), float(high[0])

    def needed(self, target: float) -> tuple[float, float, float]:
        """Labels at which the target is reached, as expected, at the earliest and at the latest; infinite: never, or
        not within `FAR` times those measured."""
        ahead = np.geomspace(1, FAR * self.sizes[-1], STEPS)
        middle, low, high = self._along(ahead)
        reached = (np.flatnonzero(one >= target) for one in (middle, high, low))
        first, earliest, latest = (float(ahead[one[0]]) if len(one) else np.inf for one in reached)
        return first, earliest, latest

    def _along(self, labels: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """`(N,)` middle, low and high end of accuracy; the ends drawn apart on the scale of log odds."""
        a, b, c = self.laws.T[:, :, None]
        accuracy = np.clip(1 - (a + b * labels[None] ** -c), NONE, 1 - NONE)
        low, middle, high = np.quantile(np.log(accuracy / (1 - accuracy)), _QUANTILES, axis=0)
        ends = (middle, middle - STRETCH * (middle - low), middle + STRETCH * (high - middle))
        first, second, third = (1 / (1 + np.exp(-one)) for one in ends)
        return first, second, third


def measure_curve(kernel: LabelKernel, classes: Positions, *, seed: int) -> LearningCurve:
    """Learn from parts of the labels, ask about the others, and fit the law. classes: `(L,)` numbers from 0."""
    count, number = len(classes), int(classes.max()) + 1
    targets = np.eye(number)[classes]
    sizes = np.unique(np.geomspace(max(2, LEAST * count), MOST * count, SIZES).round().astype(np.int64))
    right = np.full((DRAWS, len(sizes), count), np.nan)
    generator = numpy_generator(seed, "learning_curve")
    for draw in range(DRAWS):
        order = generator.permutation(count)
        for step, size in enumerate(sizes):
            known, asked = order[:size], order[size:]
            right[draw, step, asked] = kernel.says(known, asked, targets).argmax(1) == classes[asked]
    steps = sizes.astype(np.float64)
    laws = np.stack([_fit(steps, 1 - accuracy, count) for accuracy in _resampled(right, generator)])
    return LearningCurve(steps, np.nanmean(right, axis=(0, 2)), laws)


def _resampled(right: Doubles, generator: np.random.Generator) -> Doubles:
    """`(RESAMPLES, S)` accuracies: of draws with replacement, each label counting as often as it was drawn."""
    draws, _, count = right.shape
    found = []
    for _ in range(RESAMPLES):
        weights = generator.multinomial(count, np.full(count, 1 / count))
        some = right[generator.integers(draws, size=draws)]
        hits, asked = np.nan_to_num(some) @ weights, ~np.isnan(some) @ weights
        found.append(hits.sum(0) / np.maximum(asked.sum(0), 1))
    return np.stack(found)


def _fit(sizes: Doubles, errors: Doubles, count: int) -> Doubles:
    """a, b and c of least weighted squares, a and b not below 0; a size counts by what is left to ask."""
    weights = (count - sizes) / count
    powers = sizes[None] ** -EXPONENTS[:, None]  # (C, S)
    best, found = np.inf, np.array([errors[-1], 0.0, 1.0])
    for exponent, power in zip(EXPONENTS, powers, strict=True):
        a, b = _line(power, errors, weights)
        loss = float((weights * (a + b * power - errors) ** 2).sum())
        if loss < best - 1e-15:
            best, found = loss, np.array([a, b, exponent])
    return found


def _line(power: Doubles, errors: Doubles, weights: Doubles) -> tuple[float, float]:
    """The weighted least squares of `a + b power`, both not below 0."""
    total = weights.sum()
    x, y = (weights * power).sum() / total, (weights * errors).sum() / total
    spread = (weights * (power - x) ** 2).sum()
    b = float((weights * (power - x) * (errors - y)).sum() / spread) if spread > 0 else 0.0
    if b < 0:
        return float(y), 0.0
    if (a := float(y - b * x)) >= 0:
        return a, b
    return 0.0, float((weights * power * errors).sum() / (weights * power**2).sum())
