"""Temperature scaling: one number that makes confidences honest (Guo et al. 2017)."""

import numpy as np
import numpy.typing as npt

from components.methods.contracts import Floats

PRIOR_DEVIATION = 0.5  # of log T around 0: what few labels say of the temperature is taken with caution
BOUNDS = (0.02, 50.0)


def fit_temperature(probabilities: Floats, targets: Floats) -> float:
    """The likeliest temperature given held-out labels and a normal prior on its logarithm; without labels 1.

    probabilities, targets: `(L, K)` class distributions. A few labels, all predicted right, would otherwise prove
    certainty, and a few wrong ones nearly nothing.
    Source: Guo et al. 2017, https://arxiv.org/abs/1706.04599 (there without prior).
    """
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        fit = -float((targets * _log_scaled(probabilities, float(np.exp(log_temperature)))).sum())
        return fit + log_temperature**2 / (2 * PRIOR_DEVIATION**2)

    if not len(probabilities):
        return 1.0
    best = minimize_scalar(loss, bounds=tuple(np.log(BOUNDS)), method="bounded", options={"xatol": 1e-5})
    return float(np.exp(best.x))


def apply_temperature(probabilities: Floats, temperature: float) -> Floats:
    """Rows `(N, K)` raised to 1 / temperature and summing to 1 again: below 1 sharper, above 1 flatter."""
    if temperature == 1.0:
        return probabilities
    return np.asarray(np.exp(_log_scaled(probabilities, temperature)), np.float32)


def match_temperature(probabilities: Floats, confidence: float) -> float:
    """The temperature at which the mean confidence of `(N, K)` probabilities is `confidence`; no labels needed."""
    from scipy.optimize import brentq

    def surplus(log_temperature: float) -> float:
        scaled = np.exp(_log_scaled(probabilities, float(np.exp(log_temperature))))
        return float(scaled.max(1).mean()) - confidence

    low, high = (float(np.log(bound)) for bound in BOUNDS)
    if surplus(low) <= 0 or surplus(high) >= 0:
        return 1.0  # out of reach, as for a model that says the same of everything
    return float(np.exp(brentq(surplus, low, high, xtol=1e-6)))


def humbled(probabilities: Floats, accuracy: float) -> float:
    """The temperature, at least 1, at which the mean confidence of `(N, K)` probabilities is at most `accuracy`.

    A temperature fitted on labels makes confidences honest on samples like these. The pool is not like them: a medoid
    is far from other labels, most of the pool is near one, so that a method is surer there without being right more
    often. An accuracy of no more than chance asks for nearly uniform rows.
    """
    chance = 1 / probabilities.shape[1]
    target = max(accuracy, chance + 0.1 * (1 - chance))
    return match_temperature(probabilities, target) if float(probabilities.max(1).mean()) > target else 1.0


def _log_scaled(probabilities: Floats, temperature: float) -> npt.NDArray[np.float64]:
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-12)) / temperature
    logits -= logits.max(1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(1, keepdims=True)))
