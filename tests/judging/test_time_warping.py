"""Dynamic time warping of one sequence with many at once is what a plain loop over the table finds."""

import numpy as np
import pytest
import torch

from components.judging.time_warping import warped, warped_graph


def _by_loop(one: torch.Tensor, other: torch.Tensor) -> float:
    table = np.full((len(one) + 1, len(other) + 1), np.inf)
    table[0, 0] = 0
    for row in range(1, len(one) + 1):
        for column in range(1, len(other) + 1):
            cost = float((one[row - 1] - other[column - 1]).norm())
            straight = min(table[row - 1, column], table[row, column - 1]) + cost
            table[row, column] = min(straight, table[row - 1, column - 1] + 2 * cost)
    return float(table[-1, -1]) / (len(one) + len(other))


@pytest.fixture
def sequences() -> tuple[torch.Tensor, torch.Tensor]:
    noise = torch.Generator().manual_seed(0)
    return torch.randn(9, 12, 3, generator=noise), torch.tensor([12, 1, 5, 7, 12, 3, 9, 2, 8])


def test_it_is_what_a_plain_loop_finds(sequences: tuple[torch.Tensor, torch.Tensor]) -> None:
    values, lengths = sequences
    for row in range(len(values)):
        one = values[row, : lengths[row]]
        found = warped(one, values, lengths, torch.arange(9))
        wanted = [_by_loop(one, other[:length]) for other, length in zip(values, lengths, strict=True)]
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-6)


def test_a_sequence_said_slower_is_at_distance_0() -> None:
    one = torch.arange(6.0)[:, None]
    slow = one.repeat_interleave(2, 0)
    assert float(warped(one, slow[None], torch.tensor([12]), torch.arange(1))) == 0


def test_the_graph_has_the_nearest_others_first(sequences: tuple[torch.Tensor, torch.Tensor]) -> None:
    values, lengths = sequences
    graph = warped_graph(values, lengths, 3)
    for row in range(9):
        far = warped(values[row, : lengths[row]], values, lengths, torch.arange(9))
        far[row] = float("inf")
        assert graph.indices[row].tolist() == far.sort(stable=True).indices[:3].tolist()
    assert (np.diff(graph.similarities, axis=1) <= 0).all()
    assert graph.similarities.min() == 0


def test_candidates_are_all_that_is_compared(sequences: tuple[torch.Tensor, torch.Tensor]) -> None:
    values, lengths = sequences
    candidates = (np.arange(9)[:, None] + [1, 2, 3]) % 9
    graph = warped_graph(values, lengths, 2, candidates)
    assert all(set(row) <= set(own) for row, own in zip(graph.indices, candidates, strict=True))
    whole = warped_graph(values, lengths, 8)
    every = warped_graph(values, lengths, 8, (np.arange(9)[:, None] + np.arange(1, 9)) % 9)
    assert (whole.indices == every.indices).all()
