"""How far two sets of pictures are apart in an encoder's space: proxy A-distance and Frechet distance."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from components.core.seeds import numpy_generator

Floats = npt.NDArray[np.float32]
LEAST = 8  # vectors of each set
MOST = 4000  # vectors of each set, so that the figures come in seconds


@dataclass(frozen=True)
class Gap:
    """a_distance: 0 (no telling apart) to 2 (always); frechet: 0 and up, of vectors of length 1."""

    a_distance: float
    frechet: float


def domain_gap(source: Floats, target: Floats, *, seed: int) -> tuple[Gap, Gap]:
    """The gap between the sets `(N, D)` and `(M, D)`, and, to hold it against, between two halves of the target.

    Both are measured on sets of the same size, for a small sample looks far from anything.
    """
    generator = numpy_generator(seed, "gap")
    count = min(len(source), len(target) // 2, MOST)
    assert count >= LEAST
    rows = generator.permutation(len(target))
    half, other = target[rows[:count]], target[rows[count : 2 * count]]
    near = source[generator.permutation(len(source))[:count]]
    between, within = (
        Gap(proxy_a_distance(one, half, seed=seed), frechet_distance(unit(one), unit(half))) for one in (near, other)
    )
    return between, within


def proxy_a_distance(source: Floats, target: Floats, *, seed: int) -> float:
    """`2 (1 - 2 e)`, `e` the error of a linear classifier that tells the sets apart, on the half it was not fitted to.

    Ben-David et al. 2007, Analysis of representations for domain adaptation; 0 where chance does better. Sets of equal
    size, so that `e` is the error of both alike.
    """
    scores, truth = _held_out_scores(source, target, seed)
    error = float(np.mean((scores > 0) != truth))
    return max(0.0, 2 * (1 - 2 * error))


def frechet_distance(first: Floats, second: Floats) -> float:
    """`|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))` of means and covariances (Dowson & Landau 1982).

    The root's trace is the sum of the singular values of `X1 X2^T`, `X` the centered vectors over the root of their
    number, which needs no root of a matrix.
    """
    parts = [vectors.astype(np.float64) for vectors in (first, second)]
    means = [part.mean(0) for part in parts]
    factors = [_factor(part - mean) for part, mean in zip(parts, means, strict=True)]
    traces = sum(float(np.square(factor).sum()) for factor in factors)
    shared = float(np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum())
    return max(0.0, float(np.square(means[0] - means[1]).sum()) + traces - 2 * shared)


def unit(vectors: Floats) -> Floats:
    """The vectors at length 1, which makes distances of different encoders comparable."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled


def _factor(centered: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`(K, D)`, K at most D, with `F^T F` the covariance."""
    scaled: npt.NDArray[np.float64] = centered / len(centered) ** 0.5
    if len(scaled) <= scaled.shape[1]:
        return scaled
    return cast(npt.NDArray[np.float64], np.linalg.qr(scaled, mode="r"))


def _held_out_scores(
    source: Floats, target: Floats, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Of the half that the classifier did not see: its scores, above 0 for the target, and whether each is of it."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    assert len(source) == len(target)
    vectors = np.concatenate([source, target]).astype(np.float64)
    truth = np.repeat([False, True], len(source))
    order = np.concatenate(
        [numpy_generator(seed, "halves", side).permutation(len(source)) + side * len(source) for side in (0, 1)]
    )
    rank = np.tile(np.arange(len(source)), 2)
    fitted, held = order[rank < len(source) // 2], order[rank >= len(source) // 2]
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    classifier.fit(vectors[fitted], truth[fitted])
    return np.asarray(classifier.decision_function(vectors[held])), truth[held]
