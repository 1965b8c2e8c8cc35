"""UDA's divergence and annealing by hand, its loss by numpy, and the limits of its settings."""

import numpy as np
import pytest
import torch
from mixed import CLASSES, LABELED, ROWS, batch, network, softmax, supervised

from components.methods.semi_supervised.uda import annealed_threshold, divergences
from components.methods.sharpen import sharpen


def test_the_divergence_has_the_value_by_hand_and_none_from_itself() -> None:
    guess = torch.tensor([[0.5, 0.5]], requires_grad=True)
    logits = torch.tensor([[0.25, 0.75]]).log()
    expected = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    assert divergences(logits, guess).item() == pytest.approx(expected)
    assert not divergences(logits, guess).requires_grad
    assert divergences(guess.detach().log(), guess).item() == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("temperature", [0.4, 1.0])
def test_the_loss_is_the_papers(temperature: float) -> None:
    method = network("uda", threshold=0.4, temperature=temperature, weight=0.7)
    given = batch(method)
    weak, strong = (softmax(method.logits(view))[: ROWS - LABELED] for view in given.views)
    sharp = softmax(method.logits(given.views[0]) / temperature)[: ROWS - LABELED]
    divergence = (sharp * (np.log(sharp) - np.log(strong))).sum(1)
    expected = supervised(method, given) + 0.7 * (divergence * (weak.max(1) >= 0.4)).mean()
    assert method.training_step(given).loss.item() == pytest.approx(expected)


def test_at_temperature_one_views_that_are_the_same_cost_nothing() -> None:
    method = network("uda", threshold=0.0, temperature=1.0)
    view = batch(method).views[0]
    given = batch(method, views=[view, view])
    assert method.training_step(given).loss.item() == pytest.approx(supervised(method, given))


def test_sharpening_ends_in_the_likeliest_class() -> None:
    probabilities = torch.tensor([[0.5, 0.3, 0.2]])
    torch.testing.assert_close(sharpen(probabilities, 1.0), probabilities)
    torch.testing.assert_close(sharpen(probabilities, 0.5), torch.tensor([[25.0, 9.0, 4.0]]) / 38)
    torch.testing.assert_close(sharpen(probabilities, 0.01), torch.tensor([[1.0, 0.0, 0.0]]))


@pytest.mark.parametrize(("schedule", "middle"), [("linear", 0.5), ("log", 1 - np.exp(-2.5)), ("exp", np.exp(-2.5))])
def test_annealing_goes_from_chance_to_certainty(schedule: str, middle: float) -> None:
    assert annealed_threshold(0.5, 4, schedule) == pytest.approx(middle * 0.75 + 0.25)  # type: ignore[arg-type]
    assert annealed_threshold(0.0, 4, schedule) == pytest.approx(0.25, abs=0.01)  # type: ignore[arg-type]
    assert annealed_threshold(1.0, 4, schedule) == pytest.approx(1.0, abs=0.01)  # type: ignore[arg-type]


def test_at_first_annealing_leaves_out_labels_that_are_likelier_than_chance() -> None:
    method, plain = network("uda", annealing="linear", weight=0.0), network("uda", weight=0.0)
    given = batch(method)
    assert given.targets is not None
    right = (softmax(method.logits(given.views[0])) * given.targets.numpy()).sum(1)[ROWS - LABELED :]
    kept = right[right <= 1 / CLASSES]
    assert 0 < len(kept) < LABELED
    assert method.training_step(given).loss.item() == pytest.approx(-np.log(kept).mean())
    method.after_step(1.0)
    assert method.training_step(given).loss.item() == pytest.approx(plain.training_step(given).loss.item())
