"""The guard: when pseudo-labels ship, and when they do not."""

import numpy as np
import pytest

from components.training.guard import judge_by_neighbors, judge_held_out, modularity, nearest_neighbors

ACTUAL = np.zeros(40, np.int64)
FOLDS = np.arange(40) % 5


def _sure(right: int, confidence: float = 0.9) -> np.ndarray:
    first = np.where(np.arange(40) < right, confidence, 1 - confidence)
    return np.stack([first, 1 - first], axis=1)


def test_clearly_more_labels_right_ship_even_against_the_brier_score() -> None:
    verdict = judge_held_out(_sure(38, 0.55), _sure(20, 0.51), ACTUAL, FOLDS)
    assert verdict.shipped == "pseudo_labels"
    verdict = judge_held_out(_sure(20, 0.51), _sure(38, 0.99999), ACTUAL, FOLDS)
    assert (verdict.shipped, verdict.candidate_right, verdict.control_right) == ("control", 20, 38)
    assert verdict.control_score is not None
    assert verdict.candidate_score is not None


def test_where_counts_could_be_chance_the_brier_score_decides() -> None:
    verdict = judge_held_out(_sure(36, 0.9), _sure(37, 0.6), ACTUAL, FOLDS)
    assert verdict.shipped == "pseudo_labels"
    assert "could be chance" in verdict.why
    assert verdict.candidate_score == pytest.approx(2 * (36 * 0.1**2 + 4 * 0.9**2) / 40)


def test_two_equal_models_ship_the_control() -> None:
    verdict = judge_held_out(_sure(36), _sure(36), ACTUAL, FOLDS)
    assert (verdict.shipped, verdict.folds, verdict.labels) == ("control", 5, 40)


def test_modularity_of_separate_clusters_is_that_of_newman() -> None:
    vectors = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0) + 0.01 * np.random.default_rng(0).normal(size=(40, 4))
    neighbors = nearest_neighbors(vectors.astype(np.float32), 5)
    assert (neighbors // 10 == np.arange(40)[:, None] // 10).all()
    assert (neighbors != np.arange(40)[:, None]).all()
    assert modularity(np.arange(40) // 10, neighbors) == pytest.approx(1 - 4 * 0.25**2)
    assert modularity(np.zeros(40, np.int64), neighbors) == pytest.approx(0)
    assert modularity(np.arange(40) % 10, neighbors) < 0.1


GROUPS = np.arange(40) // 10  # four groups of neighbors
NEIGHBORS = GROUPS[:, None] * 10 + np.arange(10)[None, :]
NOISY = np.where(np.arange(40) % 7 == 3, (GROUPS + 1) % 4, GROUPS)
LABELED = np.array([0, 11, 22, 33])


def test_without_held_out_labels_agreement_with_neighbors_decides() -> None:
    better = judge_by_neighbors(GROUPS, NOISY, NEIGHBORS, LABELED, GROUPS[LABELED])
    assert (better.shipped, better.evidence) == ("pseudo_labels", "neighbors")
    assert judge_by_neighbors(NOISY, GROUPS, NEIGHBORS, LABELED, GROUPS[LABELED]).shipped == "control"


def test_agreement_with_neighbors_must_be_clearly_higher() -> None:
    one_off = np.where(np.arange(40) == 5, 3, GROUPS)
    verdict = judge_by_neighbors(GROUPS, one_off, NEIGHBORS, LABELED, GROUPS[LABELED])
    assert verdict.candidate_score is not None
    assert verdict.control_score is not None
    assert verdict.candidate_score > verdict.control_score
    assert verdict.shipped == "control"
    same = judge_by_neighbors(GROUPS, GROUPS, NEIGHBORS, LABELED, GROUPS[LABELED])
    assert same.shipped == "control"


def test_a_candidate_that_overrules_given_labels_does_not_ship() -> None:
    overruled = np.array([3, 1])
    control = np.where(np.arange(40) == 0, 3, NOISY)
    verdict = judge_by_neighbors(GROUPS, control, NEIGHBORS, LABELED[:2], overruled)
    assert (verdict.candidate_right, verdict.control_right) == (1, 2)
    assert verdict.shipped == "control"
    assert judge_by_neighbors(GROUPS, control, NEIGHBORS, LABELED[1:2], overruled[1:]).shipped == "pseudo_labels"
