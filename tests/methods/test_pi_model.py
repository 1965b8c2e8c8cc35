"""Pi-model's difference by hand, its loss by numpy, and how its weight rises."""

import numpy as np
import pytest
import torch
from mixed import batch, network, softmax, supervised

from components.methods.ramp_up import ramp_up
from components.methods.semi_supervised.pi_model import squared_difference


def test_the_difference_has_the_value_by_hand() -> None:
    first, second = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.9, 0.1]]).log()
    assert squared_difference(first, second).item() == pytest.approx(0.16)


def test_the_gradient_goes_through_both_views_in_opposite_directions() -> None:
    first, second = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    both = torch.stack([first, second]).detach().requires_grad_()
    squared_difference(both[0], both[1]).backward()
    assert both.grad is not None
    assert (both.grad.abs().sum((1, 2)) > 0).all()


@pytest.mark.parametrize(("progress", "share"), [(0.0, np.exp(-5)), (0.125, np.exp(-1.25)), (0.25, 1.0), (1.0, 1.0)])
def test_the_loss_is_the_papers_at_every_moment(progress: float, share: float) -> None:
    method = network("pi_model", weight=3.0, ramp=0.25)
    given = batch(method)
    method.after_step(progress)
    first, second = (softmax(method.logits(view)) for view in given.views)
    expected = supervised(method, given) + 3 * share * ((first - second) ** 2).mean()
    assert method.training_step(given).loss.item() == pytest.approx(expected)
    assert ramp_up(progress, 0.25) == pytest.approx(share)


def test_views_that_are_the_same_leave_supervised_learning() -> None:
    method = network("pi_model", ramp=0.0)
    view = batch(method).views[0]
    given = batch(method, views=[view, view])
    assert method.training_step(given).loss.item() == pytest.approx(supervised(method, given))


def test_without_a_ramp_the_weight_is_whole_from_the_start() -> None:
    assert ramp_up(0.0, 0.0) == 1
