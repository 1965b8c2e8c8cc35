"""The guard: when pseudo-labels ship, and when they do not."""

import numpy as np
import pytest

from components.training.guard import Verdict, judge_by_neighbors, judge_held_out, modularity

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


GROUPS = np.arange(40) // 10  # four groups of neighbors
NEIGHBORS = GROUPS[:, None] * 10 + np.arange(10)[None, :]
NOISY = np.where(np.arange(40) % 7 == 3, (GROUPS + 1) % 4, GROUPS)
LABELED = np.array([0, 11, 22, 33])


def _judged(candidate: np.ndarray, control: np.ndarray, spread: np.ndarray = GROUPS) -> Verdict:
    return judge_by_neighbors(candidate, control, NEIGHBORS, spread, LABELED, GROUPS[LABELED])


def test_modularity_of_separate_clusters_is_that_of_newman() -> None:
    assert modularity(GROUPS, NEIGHBORS) == pytest.approx(1 - 4 * 0.25**2)
    assert modularity(np.zeros(40, np.int64), NEIGHBORS) == pytest.approx(0)
    assert modularity(np.arange(40) % 10, NEIGHBORS) < 0.1


def test_without_held_out_labels_neighbors_decide() -> None:
    better = _judged(GROUPS, NOISY)
    assert (better.shipped, better.evidence) == ("pseudo_labels", "neighbors")
    assert "the same as the one 6 times and as the other 0 times" in better.why
    assert _judged(NOISY, GROUPS).shipped == "control"
    assert _judged(GROUPS, GROUPS).shipped == "control"


def test_smoother_predictions_that_the_spread_labels_contradict_do_not_ship() -> None:
    verdict = _judged(GROUPS, NOISY, spread=NOISY)
    assert verdict.candidate_score is not None
    assert verdict.control_score is not None
    assert verdict.candidate_score > verdict.control_score
    assert verdict.shipped == "control"


def test_a_candidate_that_overrules_given_labels_does_not_ship() -> None:
    control = np.where(np.arange(40) == 0, 3, NOISY)
    verdict = judge_by_neighbors(GROUPS, control, NEIGHBORS, GROUPS, LABELED[:2], np.array([3, 1]))
    assert (verdict.candidate_right, verdict.control_right) == (1, 2)
    assert verdict.shipped == "control"
    verdict = judge_by_neighbors(GROUPS, control, NEIGHBORS, GROUPS, LABELED[1:2], np.array([1]))
    assert verdict.shipped == "pseudo_labels"
