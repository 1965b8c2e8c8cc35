"""Uncertainty Herding against the plain greedy on the whole kernel, and its limit cases."""

import dataclasses

import numpy as np
import pytest
import torch
from pools import NOTHING, ask, blobs, scattered

from components.methods.clusters import unit
from components.methods.contracts import Floats, Pool
from components.methods.query_strategies import uncertainty_herding
from components.methods.query_strategies.margin import margin
from components.methods.query_strategies.uncertainty_herding import LEAST_RADIUS, least_distance


def _greedy(pool: Pool, budget: int, radius: float, doubts: Floats) -> list[int]:
    """Algorithm 1 in float64, all gains measured anew at each step; rows of the candidates."""
    points = unit(pool.vectors).double().numpy()
    kernel = np.exp(-((points[:, None] - points[None]) ** 2).sum(2) / radius**2)[:, pool.candidates]
    covered = kernel[pool.labeled].max(0, initial=0)
    chosen: list[int] = []
    for _ in range(budget):
        gains = (doubts * np.maximum(kernel[pool.candidates] - covered, 0)).sum(1)
        gains[chosen] = -1
        chosen.append(int(gains.argmax()))
        covered = np.maximum(covered, kernel[pool.candidates[chosen[-1]]])
    return pool.candidates[chosen].tolist()


def test_each_question_is_the_plain_greedys() -> None:
    pool = scattered(300)
    assert pool.probabilities is not None
    doubts = 1 - margin(pool.probabilities[pool.candidates])
    apart = torch.pdist(unit(pool.vectors, pool.labeled)).min().item()
    assert ask("uncertainty_herding", pool, 40).tolist() == _greedy(pool, 40, apart, doubts)


@pytest.mark.parametrize("labeled", [0, 1])
def test_without_a_model_and_two_labels_it_is_max_herding_of_the_stated_radius(labeled: int) -> None:
    whole = np.arange(200)
    pool = Pool(scattered(200).vectors, whole[:labeled], whole[labeled:])
    assert ask("uncertainty_herding", pool, 30, radius=0.7).tolist() == _greedy(pool, 30, 0.7, np.ones(1, np.float32))


def test_questions_do_not_depend_on_how_the_kernel_is_tiled(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = scattered(400)
    whole = ask("uncertainty_herding", pool, 40)
    monkeypatch.setattr(uncertainty_herding, "TILE", 1000)
    np.testing.assert_array_equal(ask("uncertainty_herding", pool, 40), whole)


def test_the_largest_group_without_a_label_is_asked_about_first() -> None:
    pool = Pool(blobs((60, 40, 30, 20), 0.01), np.array([3, 70]), np.setdiff1d(np.arange(150), [3, 70]))
    groups = np.repeat([0, 1, 2, 3], [60, 40, 30, 20])
    assert groups[ask("uncertainty_herding", pool, 2)].tolist() == [2, 3]


def test_of_two_groups_alike_the_doubted_one_is_asked_about() -> None:
    sure = np.repeat([[0.9, 0.1], [0.55, 0.45]], [50, 40], axis=0).astype(np.float32)
    pool = Pool(blobs((50, 40), 0.01), NOTHING, np.arange(90), sure)
    assert ask("uncertainty_herding", pool, 1)[0] >= 50


def test_where_labels_lie_as_close_as_can_be_doubt_alone_decides() -> None:
    pool = scattered(120)
    vectors = pool.vectors.copy()
    vectors[pool.labeled[1]] = vectors[pool.labeled[0]]
    pool = dataclasses.replace(pool, vectors=vectors)
    assert pool.probabilities is not None
    doubted = pool.candidates[np.argsort(margin(pool.probabilities[pool.candidates]), kind="stable")]
    assert ask("uncertainty_herding", pool, 20).tolist() == doubted[:20].tolist()


def test_a_model_without_a_doubt_leaves_it_to_coverage() -> None:
    pool = dataclasses.replace(scattered(), probabilities=np.eye(4, dtype=np.float32)[np.arange(120) % 4])
    plain = dataclasses.replace(pool, probabilities=None)
    assert ask("uncertainty_herding", pool, 5).tolist() == ask("uncertainty_herding", plain, 5).tolist()


def test_coverage_of_a_part_drawn_at_random_finds_the_groups_too() -> None:
    pool = Pool(blobs((60, 60, 60, 60), 0.01), NOTHING, np.arange(240))
    assert sorted(ask("uncertainty_herding", pool, 4, sample=60) // 60) == [0, 1, 2, 3]


def test_the_least_distance_is_of_two_different_rows_and_not_below_the_floor() -> None:
    points = torch.nn.functional.normalize(torch.randn(40, 5, generator=torch.Generator().manual_seed(0)), dim=1)
    assert least_distance(points) == pytest.approx(torch.pdist(points).min().item(), rel=1e-3)
    assert least_distance(points[:1].repeat(2, 1)) == LEAST_RADIUS
