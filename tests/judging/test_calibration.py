"""One temperature makes confidences honest, and few labels are taken with caution."""

import numpy as np
import pytest
from scipy.special import softmax

from components.judging.calibration import apply_temperature, fit_temperature, humbled
from components.methods.contracts import Floats


def honest(count: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Distributions, and targets drawn from them."""
    generator = np.random.default_rng(seed)
    rows = softmax(2 * generator.normal(size=(count, 4)), axis=1).astype(np.float32)
    drawn = (rows.cumsum(1) > generator.random((count, 1))).argmax(1)
    return rows, np.eye(4, dtype=np.float32)[drawn]


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_spoiled_the_confidences_is_undone(temperature: float) -> None:
    rows, targets = honest(20_000)
    spoiled = apply_temperature(rows, 1 / temperature)
    assert fit_temperature(spoiled, targets) == pytest.approx(temperature, rel=0.05)


def test_without_held_out_labels_nothing_is_changed() -> None:
    rows, targets = honest(3)
    assert fit_temperature(rows[:0], targets[:0]) == 1.0
    assert apply_temperature(rows, 1.0) is rows


def test_a_few_right_guesses_are_no_proof_of_certainty() -> None:
    rows = np.full((5, 2), [0.7, 0.3], np.float32)
    right = np.tile(np.array([[1, 0]], np.float32), (5, 1))
    few = fit_temperature(rows, right)
    many = fit_temperature(np.repeat(rows, 40, 0), np.repeat(right, 40, 0))
    assert 0.5 < few < 1
    assert many < few / 2


def test_applying_a_temperature_by_hand() -> None:
    rows = np.array([[0.8, 0.2]], np.float32)
    np.testing.assert_allclose(apply_temperature(rows, 0.5), [[0.64 / 0.68, 0.04 / 0.68]], rtol=1e-5)


def test_the_order_of_the_classes_never_changes() -> None:
    rows, _ = honest(50)
    for temperature in (0.1, 10.0):
        np.testing.assert_array_equal(apply_temperature(rows, temperature).argmax(1), rows.argmax(1))


def test_a_probability_of_zero_is_finite() -> None:
    rows = np.array([[1, 0], [1, 0]], np.float32)
    targets = np.array([[0, 1], [1, 0]], np.float32)
    assert np.isfinite(apply_temperature(rows, fit_temperature(rows, targets))).all()


def test_confidence_above_the_share_that_is_right_is_brought_down_to_it_and_none_is_raised() -> None:
    rows, _ = honest(500)
    mean = float(rows.max(1).mean())
    down = humbled(rows, mean - 0.1)
    assert down > 1
    assert apply_temperature(rows, down).max(1).mean() == pytest.approx(mean - 0.1, abs=1e-4)
    assert humbled(rows, mean + 0.1) == 1.0


def test_no_better_than_chance_leaves_hardly_any_confidence() -> None:
    rows, _ = honest(500)
    assert apply_temperature(rows, humbled(rows, 0.0)).max(1).mean() == pytest.approx(0.25 + 0.075, abs=1e-3)
