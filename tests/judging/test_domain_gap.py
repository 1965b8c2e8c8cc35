"""The gap between two sets: nothing between halves of one, all there is between strangers."""

import numpy as np
import pytest
import scipy.linalg

from components.judging.domain_gap import domain_gap, frechet_distance, proxy_a_distance, unit


def _cloud(count: int, dim: int = 6, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return (generator.normal(size=(count, dim)) + shift).astype(np.float32)


def test_sets_of_one_kind_are_told_apart_by_chance_alone_and_strangers_always() -> None:
    between, within = domain_gap(_cloud(600, seed=1), _cloud(1200), seed=0)
    assert max(between.a_distance, within.a_distance) < 0.25
    assert abs(between.frechet - within.frechet) < 0.02
    between, within = domain_gap(_cloud(600, shift=5, seed=1), _cloud(1200), seed=0)
    assert between.a_distance == 2
    assert within.a_distance < 0.25
    assert between.frechet > 20 * within.frechet


def test_a_classifier_right_in_three_of_four_cases_makes_a_distance_of_one() -> None:
    generator = np.random.default_rng(0)
    side = np.where(generator.random((2, 4000)) < 0.75, 1, -1) * np.array([[-1], [1]])
    source, target = (row[:, None].astype(np.float32) for row in side)
    assert proxy_a_distance(source, target, seed=0) == pytest.approx(1, abs=0.1)


def test_nothing_beyond_chance_is_no_negative_distance() -> None:
    assert (
        min(proxy_a_distance(_cloud(20, 40, seed=2 * s), _cloud(20, 40, seed=2 * s + 1), seed=s) for s in range(6)) == 0
    )


@pytest.mark.parametrize("count", [5, 400])  # fewer and more than dimensions
def test_the_frechet_distance_is_that_of_the_formula(count: int) -> None:
    first, second = _cloud(count, 8, seed=1).astype(float), 2 * _cloud(count, 8, 0.3, seed=2).astype(float)
    covariances = [np.cov(part.T, bias=True) for part in (first, second)]
    root = scipy.linalg.sqrtm(covariances[0] + 1e-12 * np.eye(8)).real
    middle = np.linalg.eigvalsh(root @ covariances[1] @ root).clip(0)
    expected = np.square(first.mean(0) - second.mean(0)).sum() + sum(np.trace(c) for c in covariances)
    assert frechet_distance(first, second) == pytest.approx(expected - 2 * np.sqrt(middle).sum(), rel=1e-4)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)


def test_a_shift_alone_is_its_length_squared() -> None:
    vectors = _cloud(50).astype(float)
    assert frechet_distance(vectors, vectors + np.array([3, 4, 0, 0, 0, 0])) == pytest.approx(25)


def test_vectors_at_length_one() -> None:
    np.testing.assert_allclose(unit(np.array([[3, 4], [0, 0]], np.float32)), [[0.6, 0.8], [0, 0]])
