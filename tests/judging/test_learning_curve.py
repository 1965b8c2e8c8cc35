"""The curve of a plan: learned from labels alone as the methods learn, and extrapolated by the law it is made of."""

import numpy as np
import pytest

from components.judging.label_kernel import HeadKernel, PropagationKernel
from components.judging.learning_curve import LearningCurve, _fit, measure_curve
from components.judging.neighbors import neighbor_graph
from components.methods.contracts import PoolTask
from components.methods.semi_supervised.label_propagation import LabelPropagation


def _blobs(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    classes = np.arange(count) % 3
    vectors = np.eye(3, 8)[classes] * 2 + generator.normal(0, 0.8, (count, 8))
    return vectors.astype(np.float32), classes.astype(np.int64)


def test_part_of_the_labels_says_what_label_propagation_says_from_them() -> None:
    vectors, classes = _blobs(120)
    graph = neighbor_graph(vectors, 10, seed=0)
    labeled, known = np.arange(0, 120, 4), np.arange(0, 30, 2)
    kernel = PropagationKernel(graph, labeled)
    targets = np.eye(3)[classes[labeled]]
    asked = np.setdiff1d(np.arange(30), known)
    said = kernel.says(known, asked, targets)
    task = PoolTask(vectors, graph, labeled[known], targets[known].astype(np.float32), 0)
    method = LabelPropagation(LabelPropagation.Config.model_validate({}))
    expected = method.pseudo_label(task)[labeled[asked]]
    np.testing.assert_allclose(said / said.sum(1, keepdims=True), expected, atol=1e-5)


def test_a_head_tells_far_classes_apart_and_says_nothing_of_ones_it_has_not_seen() -> None:
    vectors, classes = _blobs(60)
    kernel, targets = HeadKernel(vectors), np.eye(3)[classes]
    known = np.flatnonzero(classes != 2)[:20]
    asked = np.setdiff1d(np.arange(60), known)
    said = kernel.says(known, asked, targets).argmax(1)
    seen = classes[asked] != 2
    assert (said[seen] == classes[asked][seen]).mean() > 0.9
    assert 2 not in said


@pytest.mark.parametrize("law", [(0.02, 1.5, 0.9), (0.0, 0.8, 0.5)])
def test_the_law_that_made_the_errors_is_found_again(law: tuple[float, float, float]) -> None:
    sizes = np.array([6, 9, 13, 18, 26, 36], float)
    a, b, c = law
    found = _fit(sizes, a + b * sizes**-c, 40)
    np.testing.assert_allclose(found, law, rtol=1e-6, atol=1e-9)


def test_errors_that_do_not_fall_are_taken_as_they_are() -> None:
    a, b, _ = _fit(np.array([5.0, 10, 20]), np.array([0.2, 0.2, 0.2]), 25)
    assert a + b * 1000.0**-1 == pytest.approx(0.2, abs=0.01)
    assert _fit(np.array([5.0, 10, 20]), np.array([0.1, 0.2, 0.3]), 25)[1] == 0


def test_labels_needed_are_those_at_which_the_accuracy_is_reached() -> None:
    laws = np.tile([0.01, 1.0, 0.5], (50, 1))
    curve = LearningCurve(np.array([5.0, 10]), np.array([0.5, 0.6]), laws)
    middle, low, high = curve.needed(0.9)
    assert low == middle == high == pytest.approx((1 / 0.09) ** 2, rel=0.01)
    assert curve.at(middle)[0] == pytest.approx(0.9, abs=1e-3)
    assert curve.needed(0.99)[0] == np.inf


def test_an_interval_is_wide_with_few_labels_and_narrow_with_many() -> None:
    spans = []
    for count in (24, 120):
        vectors, classes = _blobs(count)
        low, high = measure_curve(HeadKernel(vectors), classes, seed=0).at(2 * count)[1:]
        spans.append(high - low)
    assert spans[1] < spans[0]


def test_the_same_seed_gives_the_same_curve() -> None:
    vectors, classes = _blobs(30)
    one, other = (measure_curve(HeadKernel(vectors), classes, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.laws, other.laws)
