"""What looks like none of the labels: conformal p-values against their definition, and where they must say nothing."""

import numpy as np
import pytest

from components.judging.foreign import look_foreign


def _clusters(seed: int, count: int, spread: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around four directions, and which one each is near."""
    draw = np.random.default_rng(seed)
    kinds = draw.integers(0, 4, count)
    return (np.eye(4, 16)[kinds] + spread * draw.normal(size=(count, 16)) / 4).astype(np.float32), kinds


def test_it_is_the_p_value_counted_one_by_one() -> None:
    vectors, _ = _clusters(0, 60)
    labeled, folds = np.arange(24), np.arange(24) % 3
    points = vectors - vectors.mean(axis=0)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    scores = [max(points[i] @ points[j] for j in labeled if folds[j] != folds[i]) for i in labeled]
    expected = []
    for row in range(60):
        closeness = max(points[row] @ points[j] for j in labeled)
        p_value = (1 + sum(score <= closeness for score in scores)) / 25
        expected.append(row >= 24 and p_value <= 0.3)
    assert look_foreign(vectors, labeled, folds, 0.3).tolist() == expected
    assert any(expected)


def test_a_class_nobody_labeled_is_found_and_known_ones_hardly_ever() -> None:
    known, _ = _clusters(1, 500)
    strange = (np.eye(16)[9] + 0.08 * np.random.default_rng(2).normal(size=(300, 16))).astype(np.float32)
    found = look_foreign(np.concatenate([known, strange]), np.arange(60), np.arange(60) % 5, 0.05)
    assert found[500:].all()
    assert found[60:500].mean() < 0.1


@pytest.mark.parametrize("folds", [np.full(60, -1), np.zeros(60, int)], ids=["no folds", "one fold"])
def test_without_labels_held_out_nothing_looks_foreign(folds: np.ndarray) -> None:
    vectors, _ = _clusters(3, 200)
    vectors[100:] = np.eye(16, dtype=np.float32)[9]
    assert not look_foreign(vectors, np.arange(60), folds, 0.05).any()


def test_few_labels_cannot_call_anything_foreign() -> None:
    vectors, _ = _clusters(4, 200)
    vectors[100:] = np.eye(16, dtype=np.float32)[9]
    assert not look_foreign(vectors, np.arange(18), np.arange(18) % 5, 0.05).any()
    assert look_foreign(vectors, np.arange(19), np.arange(19) % 5, 0.05)[100:].all()


def test_labels_themselves_never_do() -> None:
    vectors, _ = _clusters(5, 100)
    assert not look_foreign(vectors, np.arange(40), np.arange(40) % 5, 0.99)[:40].any()
