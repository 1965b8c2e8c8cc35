"""K-means finds what lies together, keeps fixed centers where they are, and is the same for the same generator."""

import numpy as np
import pytest
import torch

from components.methods import clusters
from components.methods.clusters import k_means, nearest, smoothed, unit


def blobs(per_blob: int = 30) -> torch.Tensor:
    generator = np.random.default_rng(0)
    rows = np.concatenate([center + 0.05 * generator.normal(size=(per_blob, 3)) for center in np.eye(3)])
    return unit(rows.astype(np.float32))


def normal(count: int, dim: int, seed: int = 0) -> torch.Tensor:
    return unit(np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32))


def test_separate_groups_become_the_clusters() -> None:
    assignment = k_means(blobs(), 3, torch.Generator().manual_seed(0)).assignment.reshape(3, -1)
    assert [len(set(row.tolist())) for row in assignment] == [1, 1, 1]
    assert len(set(assignment[:, 0].tolist())) == 3


def test_fixed_centers_stay_and_new_ones_go_elsewhere() -> None:
    points = blobs()
    fixed = points[[0, 30]]
    found = k_means(points, 1, torch.Generator().manual_seed(0), fixed=fixed)
    torch.testing.assert_close(found.centers[:2], fixed)
    assert set(found.assignment[60:].tolist()) == {2}


def test_a_heavy_point_pulls_the_center() -> None:
    points = unit(np.array([[1, 0], [0, 1]], np.float32))
    center = k_means(points, 1, torch.Generator().manual_seed(0), weights=torch.tensor([3.0, 1.0])).centers[0]
    torch.testing.assert_close(center, torch.tensor([3.0, 1.0]) / 10**0.5)


def test_the_cost_is_the_summed_squared_distance() -> None:
    points = blobs()
    found = k_means(points, 4, torch.Generator().manual_seed(1))
    by_hand = (points - found.centers[found.assignment]).square().sum()
    assert abs(found.cost - float(by_hand)) < 1e-3


def test_more_restarts_never_cost_more() -> None:
    points = unit(np.random.default_rng(1).normal(size=(200, 5)).astype(np.float32))
    one = k_means(points, 8, torch.Generator().manual_seed(0))
    five = k_means(points, 8, torch.Generator().manual_seed(0), restarts=5)
    assert five.cost <= one.cost


def test_identical_points_are_clustered_without_complaint() -> None:
    found = k_means(torch.ones(6, 2) / 2**0.5, 3, torch.Generator().manual_seed(0))
    assert torch.isfinite(found.centers).all()


def test_nearest_is_the_same_in_tiles_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    points, centers = blobs(), torch.cat([blobs()[::7], blobs()[::7]])  # of equal ones the first
    whole = nearest(points, centers)
    assert whole[1].max() < len(centers) // 2
    monkeypatch.setattr(clusters, "TILE", 30)
    monkeypatch.setattr(clusters, "WIDTH", 4)
    products, numbers = nearest(points, centers)
    torch.testing.assert_close(products, whole[0])
    torch.testing.assert_close(centers[numbers], centers[whole[1]])  # of two of them either, where rounding differs


@pytest.mark.parametrize("moving", [0, 1, 5, 20])
def test_after_some_centers_moved_the_nearest_are_brought_up_to_date(moving: int) -> None:
    points = normal(400, 6)
    before, after, moved = normal(20, 6, seed=1), normal(20, 6, seed=1), torch.arange(20) < moving
    after[moved] = normal(moving, 6, seed=2)
    products, assignment = clusters._updated(points, after, moved, *nearest(points, before))
    torch.testing.assert_close(products, nearest(points, after)[0])
    assert (assignment == nearest(points, after)[1]).all()


@pytest.mark.parametrize("labels", [0, 12])
def test_seeds_are_the_same_whichever_points_are_looked_at(monkeypatch: pytest.MonkeyPatch, labels: int) -> None:
    points = torch.cat([blobs(100), normal(100, 3), torch.zeros(2, 3)])
    monkeypatch.setattr(clusters, "FEW", 1000)
    seeds = [clusters._seeds(points, 60, points[:labels], torch.ones(402), torch.Generator().manual_seed(0))]
    monkeypatch.setattr(clusters, "FEW", 0)
    monkeypatch.setattr(clusters, "SCATTERED", 1)
    seeds += [clusters._seeds(points, 60, points[:labels], torch.ones(402), torch.Generator().manual_seed(0))]
    torch.testing.assert_close(*seeds)


def test_smoothed_points_come_closer_to_their_own_crowd_and_to_no_other() -> None:
    points = blobs()
    after = smoothed(points, 5)
    torch.testing.assert_close(after.norm(dim=1), torch.ones(len(points)))
    before, now = (cosines.reshape(3, 30, 3, 30).mean((1, 3)) for cosines in (points @ points.T, after @ after.T))
    assert (now.diagonal() > before.diagonal()).all()
    torch.testing.assert_close(smoothed(points, 0), points)
