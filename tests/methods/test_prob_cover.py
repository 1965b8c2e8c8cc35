"""ProbCover covers most of the pool with few balls, whose radius keeps them pure."""

import dataclasses

import numpy as np
import pytest
import torch
from pools import NOTHING, ask, blobs, scattered

from components.methods.clusters import k_means, unit
from components.methods.contracts import Pool
from components.methods.query_strategies import prob_cover
from components.methods.query_strategies.prob_cover import pure_closeness


def test_the_radius_is_the_largest_that_keeps_enough_balls_pure() -> None:
    points = torch.nn.functional.normalize(torch.randn(150, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    assignment = k_means(points, 5, torch.Generator().manual_seed(0)).assignment
    closeness = pure_closeness(points, assignment, 0.8, torch.Generator())

    def purity(bar: float) -> float:
        mixed = (points @ points.T > bar) & (assignment[:, None] != assignment)
        return float((~mixed.any(1)).double().mean())

    assert purity(closeness) >= 0.8 > purity(closeness - 1e-5)


@pytest.mark.parametrize("labeled", [0, 12])
def test_each_question_covers_the_most_of_what_is_left(labeled: int) -> None:
    """Against the plain algorithm on the whole matrix of distances."""
    pool = scattered(200)
    known = pool.labeled[:labeled]
    pool = dataclasses.replace(pool, labeled=known, candidates=np.setdiff1d(np.arange(200), known))
    points = unit(pool.vectors, np.concatenate([pool.labeled, pool.candidates]))
    generator = torch.Generator().manual_seed(0)
    closeness = pure_closeness(points, k_means(points, 4, generator).assignment, 0.95, generator)
    balls = (points @ points.T > closeness).numpy()
    uncovered = ~balls[:labeled].any(0)
    for chosen in ask("prob_cover", pool, 30).tolist():
        gains = (balls[labeled:] & uncovered).sum(1)
        if not gains.max():
            break
        assert pool.candidates[gains.argmax()] == chosen
        uncovered &= ~balls[labeled + gains.argmax()]


def test_questions_do_not_depend_on_how_the_products_are_tiled(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = scattered(700)
    whole = ask("prob_cover", pool, 40)
    for name, size in (("ROWS", 96), ("TILE", 128), ("AHEAD", 3)):
        monkeypatch.setattr(prob_cover, name, size)
    np.testing.assert_array_equal(ask("prob_cover", pool, 40), whole)


@pytest.mark.parametrize("closeness", [-0.2, 0.3, 0.9, 0.999])
def test_no_ball_loses_a_point_by_looking_at_near_cells_alone(closeness: float) -> None:
    wide = scattered(300).vectors
    points = unit(np.concatenate([wide, wide[:9].repeat(20, 0) + 0.05 * wide[:180], 0 * wide[:2]]))
    balls = prob_cover._balls(points, closeness, torch.Generator().manual_seed(0))
    near = (points @ points.T > closeness).numpy()
    held = np.unpackbits(balls.held.view(np.uint8), axis=1).astype(bool)
    np.testing.assert_array_equal(held[:, balls.places], near)
    assert held.sum() == near.sum()


def test_a_ball_of_each_group_covers_the_largest_first_and_then_begins_anew() -> None:
    groups = np.repeat([0, 1, 2, 3], [15, 60, 30, 20])
    pool = Pool(blobs((15, 60, 30, 20), 0.01), NOTHING, np.arange(125))
    asked = groups[ask("prob_cover", pool, 8, clusters=4)]
    assert sorted(asked[:4]) == sorted(asked[4:]) == [0, 1, 2, 3]
    assert asked[0] == 1


def test_what_a_label_covers_is_not_asked_about() -> None:
    pool = Pool(blobs((60, 40, 30, 20), 0.01), np.array([3, 70]), np.setdiff1d(np.arange(150), [3, 70]))
    groups = np.repeat([0, 1, 2, 3], [60, 40, 30, 20])
    assert groups[ask("prob_cover", pool, 2, clusters=4)].tolist() == [2, 3]
