"""Label propagation against its definition, against scikit-learn's, and at its limits."""

import numpy as np
import pytest
import scipy.sparse as sparse
from sklearn.semi_supervised import LabelPropagation as Reference

from components.methods.contracts import Floats, Graph, PoolTask
from components.methods.neighbor_graph import kernel
from components.methods.semi_supervised.label_propagation import LabelPropagation, propagate


def moons(count: int = 120) -> tuple[Floats, Floats]:
    """Two classes on two arcs of a sphere, and their one-hot classes."""
    generator = np.random.default_rng(0)
    angle = generator.uniform(0, np.pi, count)
    classes = np.arange(count) % 2
    height = np.where(classes, 0.6, -0.6) + 0.05 * generator.normal(size=count)
    rows = np.stack([np.cos(angle), np.sin(angle), height], 1)
    return rows.astype(np.float32), np.eye(2, dtype=np.float32)[classes]


def graph_of(vectors: Floats, k: int) -> Graph:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -2)
    indices = np.argsort(-similarity, axis=1)[:, :k]
    return Graph(indices, np.take_along_axis(similarity, indices, 1).astype(np.float32))


def test_a_chain_settles_on_the_straight_line_between_its_ends() -> None:
    chain = sparse.csr_matrix(np.eye(5, k=1) + np.eye(5, k=-1))
    settled = propagate(chain, np.array([0, 4]), np.eye(2, dtype=np.float32))
    np.testing.assert_allclose(settled[:, 1], [0, 0.25, 0.5, 0.75, 1], atol=1e-6)


@pytest.mark.parametrize("alpha", [0.5, 0.97])
def test_on_a_chain_labels_fade_as_a_hyperbolic_sine(alpha: float) -> None:
    chain = sparse.csr_matrix(np.eye(5, k=1) + np.eye(5, k=-1))
    settled = propagate(chain, np.array([0, 4]), np.eye(2, dtype=np.float32), alpha=alpha)
    rate = np.arccosh(1 / alpha)  # y_i = alpha (y_i-1 + y_i+1) / 2
    np.testing.assert_allclose(settled[:, 1], np.sinh(rate * np.arange(5)) / np.sinh(rate * 4), atol=1e-6)


def test_labels_that_hardly_travel_are_those_of_the_neighbors_by_weight() -> None:
    vectors, targets = moons()
    weights = kernel(graph_of(vectors, 20), 20, 5.0)
    labeled = np.arange(40)
    settled = propagate(weights, labeled, targets[labeled], alpha=1e-6)[40:] / 1e-6
    np.testing.assert_allclose(settled, (weights[40:, :40] @ targets[labeled]) / weights[40:].sum(1), atol=1e-4)


@pytest.mark.parametrize("alpha", [0.9, 1.0])
def test_it_is_where_sweeping_ends(alpha: float) -> None:
    vectors, targets = moons()
    weights = kernel(graph_of(vectors, 20), 20, 5.0)
    labeled = np.array([0, 1, 10, 11])
    step = weights.toarray() / weights.toarray().sum(1, keepdims=True)
    swept = np.zeros((len(vectors), 2))
    for _ in range(5000):
        swept[labeled] = targets[labeled]
        swept = alpha * step @ swept
    swept[labeled] = targets[labeled]
    np.testing.assert_allclose(propagate(weights, labeled, targets[labeled], alpha=alpha), swept, atol=1e-4)


def test_it_agrees_with_scikit_learn_on_the_same_kernel() -> None:
    vectors, targets = moons(60)
    weights = np.exp(-10 * ((vectors[:, None] - vectors[None]) ** 2).sum(-1)).astype(np.float64)
    labeled = np.array([0, 1, 2, 3])
    known = np.full(60, -1)
    known[labeled] = targets[labeled].argmax(1)
    reference = Reference(kernel=lambda *_: weights, max_iter=20_000, tol=1e-9).fit(vectors, known)
    ours = propagate(sparse.csr_matrix(weights), labeled, targets[labeled])
    np.testing.assert_allclose(ours / ours.sum(1, keepdims=True), reference.label_distributions_, atol=1e-4)


def test_two_labels_are_enough_for_two_arcs() -> None:
    vectors, targets = moons()
    task = PoolTask(vectors, graph_of(vectors, 10), np.array([0, 1]), targets[:2], seed=0)
    distributions = LabelPropagation(LabelPropagation.Config()).pseudo_label(task)
    assert (distributions.argmax(1) == targets.argmax(1)).mean() > 0.95
    np.testing.assert_allclose(distributions.sum(1), 1, atol=1e-5)


def test_labels_stay_as_they_were_given_soft_ones_too() -> None:
    vectors, _ = moons()
    soft = np.array([[0.7, 0.3], [0, 1]], np.float32)
    task = PoolTask(vectors, graph_of(vectors, 10), np.array([0, 1]), soft, seed=0)
    distributions = LabelPropagation(LabelPropagation.Config()).pseudo_label(task)
    np.testing.assert_allclose(distributions[:2], soft, atol=1e-6)


def test_samples_that_no_label_reaches_get_the_class_shares() -> None:
    islands = Graph(np.array([[1], [0], [3], [2]]), np.full((4, 1), 0.9, np.float32))
    targets = np.eye(2, dtype=np.float32)[[0, 0]]
    task = PoolTask(np.ones((4, 2), np.float32), islands, np.array([0, 1]), targets, seed=0)
    config = LabelPropagation.Config(class_prior=2.0)
    distributions = LabelPropagation(config).pseudo_label(task)
    np.testing.assert_allclose(distributions[2:], [[4 / 6, 2 / 6]] * 2, atol=1e-6)


def test_class_masses_keep_the_class_with_more_labels_from_flooding() -> None:
    vectors, targets = moons(200)
    vectors += np.random.default_rng(1).normal(size=vectors.shape).astype(np.float32) * 0.4  # the arcs touch
    labeled = np.array([1, *range(0, 40, 2)])  # one label of the second class, twenty of the first
    task = PoolTask(vectors, graph_of(vectors, 40), labeled, targets[labeled], seed=0)
    plain, even = (
        LabelPropagation(LabelPropagation.Config(neighbors=40, bandwidth=3.0, class_prior=prior)).pseudo_label(task)
        for prior in (None, 1000.0)
    )
    right = targets.argmax(1)
    assert (even.argmax(1) == right).mean() > (plain.argmax(1) == right).mean() + 0.1


def test_the_kernel_is_symmetric_and_does_not_depend_on_the_scale_of_the_distances() -> None:
    graph = graph_of(moons()[0], 6)
    weights = kernel(graph, 6, 0.5)
    assert abs(weights - weights.T).max() == 0
    closer = Graph(graph.indices, 1 - (1 - graph.similarities) / 8)
    np.testing.assert_allclose(kernel(closer, 6, 0.5).toarray(), weights.toarray(), rtol=1e-3, atol=1e-6)


def test_the_order_in_which_samples_stand_changes_nothing_but_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, targets = moons()
    task = PoolTask(vectors, graph_of(vectors, 10), np.array([3, 50]), targets[[3, 50]], seed=0)
    plain = LabelPropagation(LabelPropagation.Config()).pseudo_label(task)
    monkeypatch.setattr("components.methods.neighbor_graph.SORTED_FROM", 0)
    np.testing.assert_allclose(LabelPropagation(LabelPropagation.Config()).pseudo_label(task), plain, atol=1e-6)


def test_the_number_of_threads_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, targets = moons()
    weights = kernel(graph_of(vectors, 10), 10, 1.0)
    monkeypatch.setattr("components.methods.neighbor_graph.BLOCK", 32)
    made = []
    for threads in (1, 3):
        monkeypatch.setattr("torch.get_num_threads", lambda threads=threads: threads)
        made.append(propagate(weights, np.array([0, 1]), targets[:2]))
    assert (made[0] == made[1]).all()


@pytest.mark.parametrize("neighbors", [1, 3])
def test_no_more_neighbors_are_used_than_asked(neighbors: int) -> None:
    weights = kernel(graph_of(moons()[0], 6), neighbors, 0.5)
    assert weights.nnz <= 2 * neighbors * 120
