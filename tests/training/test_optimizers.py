"""Schedule, weight decay, and an optimizer that goes on from its saved state."""

import math

import pytest
import torch
from torch import nn

from components.methods.contracts import TrainableMethod
from components.training.optimizers import build_optimizer, optimizer_tensors, rate_factor, restore_optimizer, set_rates


class Layer(TrainableMethod):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 3, 3).to(memory_format=torch.channels_last)

    def training_step(self, batch: object) -> object:  # type: ignore[override]
        raise NotImplementedError


def test_the_rate_climbs_to_the_full_one_and_falls_along_half_a_cosine() -> None:
    factors = [rate_factor(step, steps=10, warmup=2) for step in range(10)]
    assert factors[:3] == pytest.approx([0.5, 1.0, 1.0])
    assert factors[6] == pytest.approx(0.5)
    assert factors[9] == pytest.approx((1 + math.cos(math.pi * 7 / 8)) / 2)


def test_vectors_are_not_decayed() -> None:
    optimizer, rates = build_optimizer(Layer(), "adamw", learning_rate=0.1, weight_decay=0.5)
    assert [(group["params"][0].ndim, group["weight_decay"]) for group in optimizer.param_groups] == [
        (4, 0.5),
        (1, 0.0),
    ]
    set_rates(optimizer, rates, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.025, 0.025]


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_a_restored_optimizer_takes_the_same_next_step(name: str) -> None:
    torch.manual_seed(0)
    ours, theirs = Layer(), Layer()
    theirs.load_state_dict(ours.state_dict())
    first, _ = build_optimizer(ours, name, learning_rate=0.1, weight_decay=0.5)  # type: ignore[arg-type]
    second, _ = build_optimizer(theirs, name, learning_rate=0.1, weight_decay=0.5)  # type: ignore[arg-type]
    _step(ours, first)
    theirs.load_state_dict(ours.state_dict())
    restore_optimizer(second, {key: value.contiguous().clone() for key, value in optimizer_tensors(first).items()})
    for _ in range(2):
        _step(ours, first)
        _step(theirs, second)
    assert torch.equal(ours.convolution.weight, theirs.convolution.weight)


def _step(method: Layer, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    method.convolution(torch.ones(1, 2, 4, 4)).square().sum().backward()
    optimizer.step()
