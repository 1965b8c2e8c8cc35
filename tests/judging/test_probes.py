"""The probes against scikit-learn, and at their limits."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from components.judging.probes import knn_accuracy, leave_one_out_accuracy, linear_accuracy


def _task(count: int = 300, noise: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    classes = np.arange(count) % 3
    vectors = np.eye(3, 6)[classes] + noise * generator.normal(size=(count, 6))
    return vectors.astype(np.float32), classes


def test_neighbors_vote_as_scikit_learn_says() -> None:
    vectors, classes = _task()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    # on unit vectors the cosine is 1 - d^2 / 2
    model = KNeighborsClassifier(20, weights=lambda distance: np.exp((1 - distance**2 / 2) / 0.1))
    expected = model.fit(unit[:200], classes[:200]).score(unit[200:], classes[200:])
    ours = knn_accuracy(vectors[:200], classes[:200], vectors[200:], classes[200:])
    assert ours == pytest.approx(expected)
    assert 0.5 < ours < 1


def test_the_length_of_a_vector_does_not_matter_to_neighbors() -> None:
    vectors, classes = _task()
    lengths = np.random.default_rng(1).uniform(0.1, 10, (300, 1)).astype(np.float32)
    plain = knn_accuracy(vectors[:200], classes[:200], vectors[200:], classes[200:])
    assert knn_accuracy(vectors[:200] * lengths[:200], classes[:200], vectors[200:], classes[200:]) == plain


def test_with_no_more_known_than_k_all_of_them_vote() -> None:
    vectors, classes = _task(6, noise=0.0)
    assert knn_accuracy(vectors, classes, vectors, classes, k=20) == 1


def test_leaving_one_out_never_asks_a_sample_about_itself() -> None:
    vectors = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], dtype=np.float32)
    assert leave_one_out_accuracy(vectors, np.array([0, 0, 1, 1])) == 1
    assert leave_one_out_accuracy(vectors, np.array([0, 1, 0, 1])) == 0  # each is nearest to one of the other class


def test_the_linear_probe_is_near_scikit_learns_regression() -> None:
    vectors, classes = _task()
    expected = LogisticRegression(C=1.0).fit(vectors[:200], classes[:200]).score(vectors[200:], classes[200:])
    assert linear_accuracy(vectors[:200], classes[:200], vectors[200:], classes[200:]) == pytest.approx(
        expected, abs=0.03
    )
