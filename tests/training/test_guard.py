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


def test_without_held_out_labels_agreement_with_neighbors_decides() -> None:
    neighbors = (np.arange(40)[:, None] // 10) * 10 + np.arange(10)[None, :]
    good, noisy = np.arange(40) // 10, np.arange(40) // 10
    noisy = np.where(np.arange(40) % 7 == 3, (noisy + 1) % 4, noisy)
    labeled = np.array([0, 11, 22, 33])
    better = judge_by_neighbors(good, noisy, neighbors, labeled, good[labeled])
    assert (better.shipped, better.evidence) == ("pseudo_labels", "neighbors")
    assert judge_by_neighbors(noisy, good, neighbors, labeled, good[labeled]).shipped == "control"


def test_a_candidate_that_overrules_given_labels_does_not_ship() -> None:
    neighbors = (np.arange(40)[:, None] // 10) * 10 + np.arange(10)[None, :]
    clean, control = np.arange(40) // 10, np.where(np.arange(40) == 0, 3, np.arange(40) // 10)
    verdict = judge_by_neighbors(clean, control, neighbors, np.array([0, 11]), np.array([3, 1]))
    assert verdict.candidate_score is not None
    assert verdict.control_score is not None
    assert verdict.candidate_score > verdict.control_score
    assert verdict.shipped == "control"
