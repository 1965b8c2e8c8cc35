"""Neighbors by cells against those of all pairs, at their limits, and where a cell is not enough."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from components.judging import neighbors
from components.judging.neighbors import neighbor_graph, recall
from components.methods.contracts import Graph


def _vectors(count: int = 3000, dim: int = 16) -> npt.NDArray[np.float32]:
    """A bent sheet of four dimensions."""
    generator = np.random.default_rng(0)
    rows = np.tanh(generator.normal(size=(count, 4)) @ generator.normal(size=(4, dim)))
    return rows.astype(np.float32)


def _unit(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _brute(vectors: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.float32]:
    similarity = _unit(vectors) @ _unit(vectors).T
    np.fill_diagonal(similarity, -2)
    return -np.sort(-similarity, axis=1)[:, :k]


def test_exact_neighbors_are_those_of_all_pairs() -> None:
    vectors = _vectors(400)
    graph = neighbor_graph(vectors, 5, seed=0)
    np.testing.assert_allclose(graph.similarities, _brute(vectors, 5), atol=1e-6)


@pytest.mark.parametrize("exact", [0, 100])
def test_a_sample_is_not_its_own_neighbor_even_among_copies(exact: int) -> None:
    graph = neighbor_graph(np.ones((6, 3), np.float32), 3, seed=0, exact=exact)
    assert all(row not in found for row, found in enumerate(graph.indices.tolist()))
    np.testing.assert_allclose(graph.similarities, 1, atol=1e-6)


@pytest.mark.parametrize("exact", [0, 100])
def test_there_are_at_most_all_the_others_as_neighbors(exact: int) -> None:
    graph = neighbor_graph(np.eye(3, dtype=np.float32), 15, seed=0, exact=exact)
    assert [sorted(row) for row in graph.indices.tolist()] == [[1, 2], [0, 2], [0, 1]]


def test_looking_into_every_cell_finds_every_neighbor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbors, "PROBES", 6)
    vectors = _vectors()
    graph = neighbor_graph(vectors, 10, seed=0, exact=0)  # six cells
    np.testing.assert_allclose(graph.similarities, _brute(vectors, 10), atol=1e-6)


def test_few_cells_miss_little_and_what_is_found_is_distinct_sorted_and_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbors, "CELL", 50)
    vectors = _vectors()
    graph = neighbor_graph(vectors, 10, seed=0, exact=0)
    rows = np.arange(len(vectors))[:, None]
    assert all(len({row, *found}) == 11 for row, found in enumerate(graph.indices.tolist()))
    assert (np.diff(graph.similarities, axis=1) <= 0).all()
    true = (_unit(vectors)[rows] * _unit(vectors)[graph.indices]).sum(-1)
    np.testing.assert_allclose(graph.similarities, true, atol=1e-6)
    assert (graph.similarities >= _brute(vectors, 10)[:, -1:] - 1e-6).mean() > 0.9


def test_recall_is_the_share_of_true_neighbors() -> None:
    vectors = _vectors(400)
    graph = neighbor_graph(vectors, 4, seed=0)
    assert recall(vectors, graph, seed=0) == 1
    half = graph.similarities.copy()
    half[:, 2:] = -1  # as if others, far away, had been found
    assert recall(vectors, Graph(graph.indices, half), seed=0, sample=400) == 0.5


def test_rows_whose_cells_are_all_but_empty_are_compared_with_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crowd in one cell, and four outliers that look only into each other's."""
    vectors = _vectors(300)
    probes = torch.tensor([[0, 1]] * 296 + [[1, 2], [2, 1], [3, 4], [4, 3]])
    monkeypatch.setattr(neighbors, "_probes", lambda points, seed: probes)
    graph = neighbor_graph(vectors, 5, seed=0, exact=0)
    np.testing.assert_allclose(graph.similarities[-4:], _brute(vectors, 5)[-4:], atol=1e-6)
    assert all(len(set(found)) == 5 for found in graph.indices[-4:].tolist())


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (neighbor_graph(_vectors(), 5, seed=3, exact=0) for _ in range(2))
    assert first.indices.tobytes() == second.indices.tobytes()
    assert first.similarities.tobytes() == second.similarities.tobytes()
