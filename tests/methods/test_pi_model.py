"""Pi-model's loss by numpy, and how its weight rises."""

import numpy as np
import pytest
from mixed import batch, network, softmax, supervised

from components.methods.ramp_up import ramp_up


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
