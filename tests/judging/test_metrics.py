"""The figures of a report: against hand-made values, torchmetrics and scikit-learn."""

import numpy as np
import pytest
import torch

from components.judging import metrics

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(400, 5)) * 2
ACTUAL = RNG.integers(0, 5, 400)
LOGITS[np.arange(400), ACTUAL] += 2
PROBABILITIES = (np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)).astype(np.float32)


def test_calibration_error_agrees_with_torchmetrics() -> None:
    from torchmetrics.functional.classification import multiclass_calibration_error

    reference = multiclass_calibration_error(
        torch.from_numpy(PROBABILITIES), torch.from_numpy(ACTUAL), num_classes=5, n_bins=15, norm="l1"
    )
    assert metrics.calibration_error(PROBABILITIES, ACTUAL).value == pytest.approx(float(reference), abs=1e-6)


def test_f1_likelihood_and_brier_agree_with_scikit_learn() -> None:
    from sklearn.metrics import f1_score, log_loss

    predicted = PROBABILITIES.argmax(axis=1)
    assert metrics.macro_f1(PROBABILITIES, ACTUAL).value == pytest.approx(f1_score(ACTUAL, predicted, average="macro"))
    rows = PROBABILITIES.astype(np.float64)
    rows /= rows.sum(axis=1, keepdims=True)
    nll = metrics.negative_log_likelihood(PROBABILITIES, ACTUAL).value
    assert nll == pytest.approx(log_loss(ACTUAL, rows, labels=range(5)), abs=1e-6)
    assert metrics.brier(np.array([[0.7, 0.3]]), np.array([1])).value == pytest.approx(0.7**2 + 0.7**2)


def test_a_class_never_seen_nor_said_does_not_lower_macro_f1() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    assert metrics.macro_f1(probabilities, np.array([0, 1])).value == 1.0


def test_bootstrap_interval_of_accuracy_agrees_with_the_binomial_one() -> None:
    from scipy.stats import binom

    metric = metrics.accuracy(PROBABILITIES, ACTUAL)
    found = metrics.bootstrap(metric, resamples=4000, seed=1)
    low, high = binom.ppf([0.025, 0.975], 400, found.value) / 400
    assert (found.low, found.high) == (pytest.approx(low, abs=0.006), pytest.approx(high, abs=0.006))
    assert found.low < found.value < found.high


def test_bootstrap_is_the_same_for_the_same_seed_whatever_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    metric = metrics.calibration_error(PROBABILITIES, ACTUAL)
    whole = metrics.bootstrap(metric, resamples=100, seed=3)
    assert metrics.bootstrap(metric, resamples=100, seed=4) != whole
    monkeypatch.setattr(metrics, "BLOCK", 400 * 7)
    assert metrics.bootstrap(metric, resamples=100, seed=3) == whole


def test_a_model_does_not_differ_from_itself() -> None:
    correct = RNG.random(200) < 0.8
    assert metrics.paired_difference(correct, correct, 500, 0, 0.95) == (0.0, 0.0, 0.0)
    assert metrics.mcnemar(correct, correct) == 1.0


def test_paired_interval_is_that_of_resampled_differences_and_narrower_than_unpaired() -> None:
    theirs = RNG.random(1000) < 0.8
    ours = theirs | (RNG.random(1000) < 0.2)
    gain, low, high = metrics.paired_difference(ours, theirs, 4000, 0, 0.95)
    difference = ours.astype(float) - theirs
    deviation = difference.std() / np.sqrt(1000)
    assert gain == pytest.approx(difference.mean())
    assert (low, high) == (
        pytest.approx(gain - 1.96 * deviation, abs=2e-3),
        pytest.approx(gain + 1.96 * deviation, abs=2e-3),
    )
    assert high - low < 2 * 1.96 * np.sqrt(2 * 0.8 * 0.2 / 1000)


def test_mcnemar_is_a_fair_coin_on_the_samples_where_two_models_differ() -> None:
    ours = np.array([True] * 8 + [False] * 2 + [True] * 50)
    theirs = np.array([False] * 8 + [True] * 2 + [True] * 50)
    assert metrics.mcnemar(ours, theirs) == pytest.approx(2 * (1 + 10 + 45) / 1024)


def test_reliability_leaves_out_empty_bins_and_counts_everyone() -> None:
    rows = metrics.reliability(np.array([[0.55, 0.45], [0.05, 0.95], [0.04, 0.96]]), np.array([0, 1, 0]))
    assert rows == [(pytest.approx(0.55), 1.0, 1), (pytest.approx(0.955), 0.5, 2)]
