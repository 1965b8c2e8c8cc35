"""Prediction sets hold the right class as often as stated, and few labels rule out nothing."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import softmax
from scipy.stats import betabinom

from components.models.prediction_sets import PredictionSets, SetSettings, calibrate, members

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


def test_no_class_may_be_probable_enough_for_lac_but_the_likeliest_is_in_every_adaptive_set() -> None:
    rows = np.full((20, 3), [0.9, 0.06, 0.04])
    unsure = np.array([[0.5, 0.3, 0.2]])
    by_score = {name: calibrate(rows, np.zeros(20, np.int64), SetSettings(score=name)) for name in ("lac", "aps")}
    assert members(unsure, by_score["lac"]).tolist() == [[False, False, False]]
    assert members(unsure, by_score["aps"]).tolist() == [[True, False, False]]


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
    expected = [[score(row, k) <= highest + 1e-12 for k in range(5)] for row in fresh]
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
    if settings.score == "lac":  # no two scores tie
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
