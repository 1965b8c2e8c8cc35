"""K-means finds what lies together, keeps fixed centers where they are, and is the same for the same generator."""

import numpy as np
import pytest
import torch

from components.methods.clusters import k_means, nearest, unit


def blobs(per_blob: int = 30) -> torch.Tensor:
    generator = np.random.default_rng(0)
    rows = np.concatenate([center + 0.05 * generator.normal(size=(per_blob, 3)) for center in np.eye(3)])
    return unit(rows.astype(np.float32))


def test_separate_groups_become_the_clusters() -> None:
    assignment = k_means(blobs(), 3, torch.Generator().manual_seed(0)).assignment.reshape(3, -1)
    assert [len(set(row.tolist())) for row in assignment] == [1, 1, 1]
    assert len(set(assignment[:, 0].tolist())) == 3


def test_fixed_centers_stay_and_new_ones_go_elsewhere() -> None:
    points = blobs()
    fixed = points[[0, 30]]
    clusters = k_means(points, 1, torch.Generator().manual_seed(0), fixed=fixed)
    torch.testing.assert_close(clusters.centers[:2], fixed)
    assert set(clusters.assignment[60:].tolist()) == {2}


def test_a_heavy_point_pulls_the_center() -> None:
    points = unit(np.array([[1, 0], [0, 1]], np.float32))
    center = k_means(points, 1, torch.Generator().manual_seed(0), weights=torch.tensor([3.0, 1.0])).centers[0]
    torch.testing.assert_close(center, torch.tensor([3.0, 1.0]) / 10**0.5)


def test_the_cost_is_the_summed_squared_distance() -> None:
    points = blobs()
    clusters = k_means(points, 4, torch.Generator().manual_seed(1))
    by_hand = (points - clusters.centers[clusters.assignment]).square().sum()
    assert abs(clusters.cost - float(by_hand)) < 1e-3


def test_more_restarts_never_cost_more() -> None:
    points = unit(np.random.default_rng(1).normal(size=(200, 5)).astype(np.float32))
    one = k_means(points, 8, torch.Generator().manual_seed(0))
    five = k_means(points, 8, torch.Generator().manual_seed(0), restarts=5)
    assert five.cost <= one.cost


def test_identical_points_are_clustered_without_complaint() -> None:
    clusters = k_means(torch.ones(6, 2) / 2**0.5, 3, torch.Generator().manual_seed(0))
    assert torch.isfinite(clusters.centers).all()


def test_nearest_is_the_same_in_blocks_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    points, centers = blobs(), blobs()[::7]
    whole = nearest(points, centers)
    monkeypatch.setattr("components.methods.clusters.BLOCK", 7)
    torch.testing.assert_close(nearest(points, centers)[0], whole[0])
