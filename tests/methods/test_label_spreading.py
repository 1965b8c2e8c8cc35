"""Label spreading against its definition, against scikit-learn's, and beside label propagation, where they differ."""

import numpy as np
import pytest
import scipy.sparse as sparse
from sklearn.semi_supervised import LabelSpreading as Reference

from components.methods.contracts import Floats, Graph, PoolTask
from components.methods.semi_supervised.label_propagation import LabelPropagation
from components.methods.semi_supervised.label_spreading import LabelSpreading, spread


def _symmetric(count: int, seed: int) -> sparse.csr_matrix:
    half = np.triu(np.random.default_rng(seed).uniform(0, 1, (count, count)), 1)
    return sparse.csr_matrix(half + half.T)


@pytest.mark.parametrize("alpha", [0.2, 0.99])
def test_it_is_the_papers_closed_form(alpha: float) -> None:
    weights, labeled = _symmetric(20, 0), np.array([3, 7, 11])
    targets = np.eye(3, dtype=np.float32)
    root = np.diag(np.asarray(weights.sum(1)).ravel() ** -0.5)
    start = np.zeros((20, 3))
    start[labeled] = targets
    wanted = (1 - alpha) * np.linalg.inv(np.eye(20) - alpha * root @ weights.toarray() @ root) @ start
    np.testing.assert_allclose(spread(weights, labeled, targets, alpha=alpha), wanted, rtol=1e-4, atol=1e-8)


def test_two_samples_by_hand() -> None:
    pair = sparse.csr_matrix([[0.0, 1.0], [1.0, 0.0]])  # S is W: F = (1 - a) / (1 - a^2) [[1, a], [a, 1]] Y
    settled = spread(pair, np.array([0]), np.array([[1.0, 0.0]], np.float32), alpha=0.5)
    np.testing.assert_allclose(settled, [[2 / 3, 0], [1 / 3, 0]], atol=1e-6)


def test_it_agrees_with_scikit_learn_on_the_same_kernel() -> None:
    weights, labeled, classes = _symmetric(40, 1), np.array([0, 1, 2, 3]), np.array([0, 1, 0, 1])
    known = np.full(40, -1)
    known[labeled] = classes
    reference = Reference(kernel=lambda *_: weights.toarray(), alpha=0.9, max_iter=20_000, tol=1e-12)
    reference.fit(np.zeros((40, 1)), known)
    ours = spread(weights, labeled, np.eye(2, dtype=np.float32)[classes], alpha=0.9)
    np.testing.assert_allclose(ours / ours.sum(1, keepdims=True), reference.label_distributions_, atol=1e-4)


def _two_crowds(count: int = 60) -> tuple[Floats, Graph]:
    """Two crowds of one class each, a graph within them alone; the first sample of the second crowd's class is odd."""
    generator = np.random.default_rng(2)
    vectors = np.repeat(np.eye(2), count, 0) + 0.1 * generator.normal(size=(2 * count, 2))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -2)
    indices = np.argsort(-similarities, axis=1)[:, :10]
    return vectors, Graph(indices, np.take_along_axis(similarities, indices, 1))


def test_a_label_among_samples_of_another_class_is_outvoted_where_propagation_believes_it() -> None:
    vectors, graph = _two_crowds()
    labeled = np.array([0, 10, 20, 30, 70, 90, 110])
    odd = 30  # stands in the first crowd and bears the second one's class
    classes = np.array([0, 0, 0, 1, 1, 1, 1])
    targets = np.eye(2, dtype=np.float32)[classes]
    task = PoolTask(vectors, graph, labeled, targets, seed=0)
    near = np.setdiff1d(graph.indices[odd], labeled)
    spreading = LabelSpreading(LabelSpreading.Config(class_prior=None)).pseudo_label(task)
    propagation = LabelPropagation(LabelPropagation.Config(class_prior=None, bandwidth=1.0)).pseudo_label(task)
    assert spreading[near, 1].mean() < propagation[near, 1].mean() - 0.1
    np.testing.assert_array_equal(spreading[labeled], targets)


def test_samples_that_no_label_reaches_get_the_class_shares() -> None:
    vectors, graph = _two_crowds()
    apart = np.concatenate([np.where(graph.indices[:60] < 60, graph.indices[:60], 0), graph.indices[60:]])
    apart[60:] = np.where(apart[60:] >= 60, apart[60:], 60)
    labeled, targets = np.array([0, 1, 2]), np.eye(2, dtype=np.float32)[[0, 0, 1]]
    task = PoolTask(vectors, Graph(apart, graph.similarities), labeled, targets, seed=0)
    settled = LabelSpreading(LabelSpreading.Config(class_prior=0.0)).pseudo_label(task)
    np.testing.assert_allclose(settled[60:], np.tile([2 / 3, 1 / 3], (60, 1)), atol=1e-6)
