"""The running mean of weights, and the projection head."""

import pytest
import torch
from torch import nn

from components.models.ema import MovingAverage
from components.models.projection_head import projection_head


def test_the_first_steps_follow_faster_than_the_decay() -> None:
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    average = MovingAverage(module, 0.99)
    nn.init.ones_(module.weight)
    average.update(module)
    assert average.weights[0].item() == pytest.approx(1 - 2 / 11)  # decay (1 + 1) / (10 + 1)


def test_a_constant_module_is_its_own_average() -> None:
    module = nn.Linear(3, 2)
    average = MovingAverage(module, 0.9)
    for _ in range(5):
        average.update(module)
    other = nn.Linear(3, 2)
    average.copy_to(other)
    torch.testing.assert_close(other.weight, module.weight)


def test_an_average_goes_on_from_its_state() -> None:
    module = nn.Linear(3, 2)
    average, restored = MovingAverage(module, 0.9), MovingAverage(nn.Linear(3, 2), 0.9)
    with torch.no_grad():
        module.weight.add_(1)
    average.update(module)
    restored.restore(average.state())
    assert restored.steps == 1
    assert all(torch.equal(a, b) for a, b in zip(average.weights, restored.weights, strict=True))


def test_a_projection_head_ends_in_a_bare_linear_layer() -> None:
    head = projection_head(4, 8, 2)
    assert [type(layer).__name__ for layer in head] == ["Linear", "BatchNorm1d", "ReLU", "Linear"]
    assert head(torch.rand(3, 4)).shape == (3, 2)
