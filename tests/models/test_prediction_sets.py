"""Prediction sets hold the right class as often as stated, and few labels rule out nothing."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import softmax
from scipy.stats import betabinom

from components.models.prediction_sets import PredictionSets, SetSettings, calibrate, matched, members

SCORES = [{"score": "lac"}, {"score": "aps"}, {"score": "aps", "penalty": 0.2, "free": 2}]


def answers(count: int, seed: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Probabilities of 5 classes, too sure of themselves, and the actual classes."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(count, 5))
    actual = (softmax(2 * logits, axis=1).cumsum(1) > generator.random((count, 1))).argmax(1)
    return softmax(5 * logits, axis=1).astype(np.float32), actual


def test_a_threshold_by_hand() -> None:
    """9 labels of 80 %: the 8th smallest score, so all but the least probable two actual classes stay in."""
    chances = np.array([0.95, 0.9, 0.85, 0.8, 0.7, 0.65, 0.6, 0.4, 0.3])
    rows = np.stack([chances, 1 - chances], axis=1)
    sets = calibrate(rows, np.zeros(9, np.int64), SetSettings(coverage=0.8))
    assert sets.highest == pytest.approx(0.6)
    assert sets.labels == 9
    found = members(np.array([[0.99, 0.01], [0.55, 0.45], [0.61, 0.39]]), sets)
    assert found.tolist() == [[True, False], [True, True], [True, False]]


@pytest.mark.parametrize("score", ["lac", "aps"])
def test_the_likeliest_class_is_in_every_set_however_improbable(score: str) -> None:
    rows = np.full((20, 3), [0.9, 0.06, 0.04])
    sets = calibrate(rows, np.zeros(20, np.int64), SetSettings.model_validate({"score": score}))
    assert members(np.array([[0.3, 0.5, 0.2]]), sets).tolist() == [[False, True, False]]


def test_labels_that_could_not_be_held_out_count_as_the_highest_scores() -> None:
    """37 labels and 3 more: the threshold is the 37th smallest of 40, which is the highest of the 37."""
    rows, actual = answers(37, 0)
    scores = np.sort(1 - rows[np.arange(37), actual].astype(np.float64))
    found = [calibrate(rows, actual, SetSettings(), never=never) for never in (0, 3)]
    assert [sets.highest for sets in found] == [scores[34], scores[36]]
    assert [sets.always for sets in found] == [[], []]


def test_classes_without_a_held_out_label_are_in_every_set_where_these_are_too_many() -> None:
    rows, actual = answers(60, 0)
    rows, actual = rows[actual != 3][:17], actual[actual != 3][:17]
    sets = calibrate(rows, actual, SetSettings(), never=3)
    assert sets.always == [3, *sorted({0, 1, 2, 4} - set(actual.tolist()))]
    assert sets.highest == calibrate(rows, actual, SetSettings()).highest
    assert members(answers(50, 1)[0], sets)[:, 3].all()


def test_unlabeled_scores_are_moved_as_the_label_nearest_to_them_by_hand() -> None:
    guessed, actual = np.array([0.1, 0.4]), np.array([0.1, 0.9])
    pool = np.array([0.0, 0.24, 0.25, 0.26, 0.8])
    assert matched(guessed, actual, pool) == pytest.approx([0.0, 0.24, 0.25, 0.76, 1.3])


def test_with_unlabeled_scores_the_threshold_is_that_of_all_together() -> None:
    rows, actual = answers(30, 0)
    pool = answers(400, 1)[0]
    sets = calibrate(rows, actual, SetSettings(unlabeled=True), unlabeled=pool)
    wrong = rows.max(1) - rows[np.arange(30), actual]
    near = [float(wrong[np.abs(rows.max(1) - top).argmin()]) for top in pool.max(1)]
    own = (1 - rows[np.arange(30), actual].astype(np.float64)).tolist()
    every = np.sort([*own, *(1 - pool.max(1).astype(np.float64) + np.array(near))])
    assert sets.highest == pytest.approx(every[math.ceil(431 * 0.9) - 1], abs=1e-6)
    assert calibrate(rows, actual, SetSettings(), unlabeled=pool) == calibrate(rows, actual, SetSettings())


def test_unlabeled_scores_steady_the_threshold_of_a_model_that_is_right_on_most() -> None:
    spread = {True: list[float](), False: list[float]()}
    for seed in range(60):
        generator = np.random.default_rng(seed)
        sure = generator.uniform(0.6, 1, 1020)
        rows = np.stack([sure, 1 - sure], axis=1).astype(np.float32)
        for asked, found in spread.items():
            sets = calibrate(rows[:20], np.zeros(20, np.int64), SetSettings(unlabeled=asked), unlabeled=rows[20:])
            found.append(float(sets.highest or 0))
    assert np.std(spread[True]) < np.std(spread[False]) / 3


@pytest.mark.parametrize("options", SCORES)
def test_sets_are_the_papers_formula_in_loops(options: dict[str, Any]) -> None:
    rows, actual = answers(60, 1)
    settings = SetSettings(coverage=0.85, **options)

    def score(row: npt.NDArray[np.float32], chosen: int) -> float:
        if settings.score == "lac":
            return 1 - float(row[chosen])
        likelier = [float(p) for p in row if p > row[chosen]]
        return sum(likelier) + settings.penalty * max(len(likelier) + 1 - settings.free, 0)

    scores = sorted(score(row, k) for row, k in zip(rows, actual, strict=True))
    highest = scores[math.ceil(61 * 0.85) - 1]
    sets = calibrate(rows, actual, settings)
    assert sets.highest == pytest.approx(highest)
    fresh, _ = answers(200, 2)
    expected = [[score(row, k) <= highest + 1e-12 or k == row.argmax() for k in range(5)] for row in fresh]
    assert members(fresh, sets).tolist() == expected


@pytest.mark.parametrize("options", SCORES)
@pytest.mark.parametrize("labels", [10, 40, 100])
def test_coverage_is_the_stated_one_whatever_the_model(options: dict[str, Any], labels: int) -> None:
    """Over many draws of the labels, and of as many pictures each: beta-binomial, at least (Vovk 2012)."""
    settings = SetSettings(coverage=0.9, **options)
    shares = []
    for seed in range(200):
        rows, actual = answers(labels + 500, seed)
        inside = members(rows[labels:], calibrate(rows[:labels], actual[:labels], settings))
        shares.append(inside[np.arange(500), actual[labels:]].mean())
    rank = math.ceil(round((labels + 1) * 0.9, 9))
    law = betabinom(500, rank, labels + 1 - rank)
    error = 4 * law.std() / 500 / math.sqrt(len(shares))
    assert np.mean(shares) > law.mean() / 500 - error
    if settings.score == "lac":  # no two scores tie, and the model is right less often than stated
        assert np.mean(shares) < law.mean() / 500 + error


def test_the_higher_the_coverage_the_larger_the_sets() -> None:
    rows, actual = answers(300, 0)
    fresh, _ = answers(300, 1)
    low, high = (members(fresh, calibrate(rows, actual, SetSettings(coverage=share))) for share in (0.7, 0.95))
    assert (high | low == high).all()
    assert high.sum() > low.sum()


@pytest.mark.parametrize(("labels", "enough"), [(0, False), (8, False), (9, True), (18, True)])
def test_too_few_labels_for_the_coverage_rule_out_nothing(labels: int, enough: bool) -> None:
    rows, actual = answers(labels, 0)
    sets = calibrate(rows, actual, SetSettings(coverage=0.9))
    assert (sets.highest is not None) == enough
    if not enough:
        assert members(answers(7, 1)[0], sets).all()


def test_the_penalty_keeps_sets_of_an_unsure_model_small() -> None:
    rows, actual = answers(200, 0)
    fresh, _ = answers(500, 1)
    plain, regularized = (
        members(fresh, calibrate(rows, actual, SetSettings(score="aps", penalty=penalty))).sum(1)
        for penalty in (0.0, 0.5)
    )
    assert regularized.max() < plain.max()


def test_what_is_kept_survives_a_trip_through_json() -> None:
    sets = calibrate(*answers(30, 0), SetSettings(coverage=0.9))
    assert PredictionSets.model_validate_json(sets.model_dump_json()) == sets
