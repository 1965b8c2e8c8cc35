"""MixMatch's mixture and losses by hand, its guesses by numpy, and its plainest setting."""

import numpy as np
import pytest
import torch
from mixed import LABELED, ROWS, batch, network, softmax, supervised

from components.methods.semi_supervised.mixmatch import MixMatch, mix, mixture_losses


def _method(**options: float) -> MixMatch:
    method = network("mixmatch", **options)
    assert isinstance(method, MixMatch)
    return method


def test_a_mixture_has_the_values_by_hand() -> None:
    rows = torch.tensor([[0.0, 4.0], [8.0, 0.0]])
    mixed = mix(rows, torch.tensor([0.75, 1.0]), torch.tensor([1, 0]))
    assert mixed.tolist() == [[2.0, 3.0], [8.0, 0.0]]


def test_both_losses_have_the_values_by_hand() -> None:
    logits = torch.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    targets = torch.tensor([[0.5, 0.5], [0.9, 0.1]])
    labeled, unlabeled = mixture_losses(logits, targets, torch.tensor([1.0, 0.0]))
    assert labeled.item() == pytest.approx(-(np.log(0.25) + np.log(0.75)) / 2)
    assert unlabeled.item() == pytest.approx(0.16)


def test_one_view_no_sharpening_and_hardly_any_mixing_is_learning_from_ones_own_soft_guess() -> None:
    """Whose gradient is zero: what is left is supervised learning."""
    method = _method(augmentations=1, temperature=1.0, alpha=1e-6, weight=5.0, ramp=0.0)
    given = batch(method)
    output = method.training_step(given)
    assert output.loss.item() == pytest.approx(supervised(method, given), rel=1e-6)
    assert float(output.metrics["unlabeled"]) == pytest.approx(0, abs=1e-12)


def test_without_mixing_guesses_are_the_sharpened_mean_over_views() -> None:
    method = _method(augmentations=2, temperature=0.5, alpha=1e-6, weight=5.0, ramp=0.0)
    given = batch(method)
    said = [softmax(method.logits(view)) for view in given.views]
    guesses = ((said[0] + said[1]) / 2) ** 2
    guesses /= guesses.sum(1, keepdims=True)
    squares = np.mean([((view - guesses) ** 2)[: ROWS - LABELED].mean() for view in said])
    expected = np.mean([supervised(method, given, view) for view in (0, 1)]) + 5 * squares
    assert method.training_step(given).loss.item() == pytest.approx(expected, rel=1e-6)


def test_the_larger_share_of_a_mixture_is_its_first_part_and_shares_are_of_the_beta() -> None:
    order, shares = _method(alpha=0.75)._draws(20_000, torch.Generator().manual_seed(0))
    beta = np.random.default_rng(0).beta(0.75, 0.75, 20_000)
    assert shares.min() >= 0.5
    assert shares.mean().item() == pytest.approx(np.maximum(beta, 1 - beta).mean(), abs=0.01)
    assert sorted(order.tolist()) == list(range(20_000))


def test_mixing_changes_the_loss_and_the_same_generator_repeats_it() -> None:
    method = _method(alpha=0.75, ramp=0.0)
    first, second = (method.training_step(batch(method)).loss.item() for _ in range(2))
    assert first == second
    assert first != pytest.approx(_method(alpha=1e-6, ramp=0.0).training_step(batch(method)).loss.item())


def test_the_weight_of_guesses_rises_linearly() -> None:
    method = _method(weight=4.0, ramp=0.5)
    losses = []
    for progress in (0.0, 0.25, 0.5, 1.0):
        method.after_step(progress)
        losses.append(method.training_step(batch(method)).loss.item())
    unlabeled = float(method.training_step(batch(method)).metrics["unlabeled"])
    assert np.subtract(losses, losses[0]) == pytest.approx([0.0, 2 * unlabeled, 4 * unlabeled, 4 * unlabeled])
