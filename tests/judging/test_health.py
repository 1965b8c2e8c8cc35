"""Health figures have the values theory gives, and collapse is caught."""

import math

import pytest
import torch

from components.core.errors import WinnowError
from components.judging.collapse import check, shrunk
from components.judging.health import effective_rank, health, projected_health, uniformity


def test_vectors_spread_over_all_directions_are_healthy() -> None:
    vectors = torch.randn(4000, 16, generator=torch.Generator().manual_seed(0))
    figures = health(vectors, vectors)
    assert figures["embedding_std"] == pytest.approx(1, abs=0.02)
    assert figures["effective_rank"] == pytest.approx(16, rel=0.01)
    assert figures["alignment"] == 0
    assert figures["uniformity"] == pytest.approx(-4 + 8 / 16, abs=0.05)  # E exp(4 c - 4), c of variance 1/16
    check(figures)


def test_a_cross_of_two_lines_has_effective_rank_two() -> None:
    cross = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    assert effective_rank(cross) == pytest.approx(2)
    assert effective_rank(cross @ torch.linalg.qr(torch.randn(3, 3)).Q) == pytest.approx(2, rel=1e-5)


def test_two_opposite_points_have_the_uniformity_of_their_distance() -> None:
    assert uniformity(torch.tensor([[1.0, 0], [-1, 0]])) == pytest.approx(-2 * 4)


def test_opposite_views_are_worst_aligned() -> None:
    vectors = torch.randn(10, 4)
    assert health(vectors, -2 * vectors)["alignment"] == pytest.approx(4)


@pytest.mark.parametrize(
    "vectors",
    [
        torch.ones(50, 8) + 1e-4 * torch.randn(50, 8, generator=torch.Generator().manual_seed(0)),
        torch.randn(50, 1, generator=torch.Generator().manual_seed(0)) * torch.ones(8),
        torch.full((50, 8), math.nan),
        torch.zeros(50, 8),
    ],
    ids=["a point", "a line", "not a number", "zero"],
)
def test_collapse_stops_the_run(vectors: torch.Tensor) -> None:
    with pytest.raises(WinnowError, match="pretraining has collapsed"):
        check(health(vectors, vectors))


def test_what_the_loss_compares_is_measured_too() -> None:
    start = torch.randn(500, 8, generator=torch.Generator().manual_seed(0))
    sound = projected_health(3 * start, start)  # length does not count
    assert sound == pytest.approx({"projected_std": 1, "rank_kept": 1}, abs=0.01)
    point = projected_health(start + 20, start)
    assert point["projected_std"] < 0.15
    assert "hardly differ (deviation 0." in shrunk(point)
    plane = projected_health(start * torch.tensor([1.0, 0, 0, 0, 0, 0, 0, 0]), start)
    assert plane["rank_kept"] == pytest.approx(1 / 8, rel=0.02)
    assert "13 % of the effective rank" in shrunk(plane)


def test_what_has_not_shrunk_or_compares_nothing_is_not_told_of() -> None:
    assert shrunk({"projected_std": 0.2, "rank_kept": 0.3}) == ""
    assert shrunk({"loss": 1.0}) == ""
