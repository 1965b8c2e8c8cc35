"""Quarter turns by hand, the loss by formula, and what the step does with both."""

import math

import pytest
import torch

from components.methods.contracts import Batch
from components.methods.self_supervised.rotation import Rotation, four_rotations, rotation_loss
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given


def test_a_corner_goes_round_the_picture() -> None:
    picture = torch.zeros(1, 1, 5, 5)
    picture[0, 0, 0, 0] = 1
    corners = [tuple(turned[0].nonzero()[0].tolist()) for turned in four_rotations(picture)]
    assert corners == [(0, 0), (4, 0), (4, 4), (0, 4)]


def test_all_pictures_of_one_turn_come_before_those_of_the_next() -> None:
    pictures = torch.rand(3, 2, 6, 6)
    turned = four_rotations(pictures)
    assert turned.shape == (12, 2, 6, 6)
    assert torch.equal(turned[:3], pictures)
    assert torch.equal(turned[6:9], pictures.flip(2, 3))


def test_logits_that_say_nothing_cost_the_logarithm_of_four() -> None:
    assert rotation_loss(torch.zeros(8, 4)).item() == pytest.approx(math.log(4))


def test_the_loss_is_the_mean_over_turns_and_pictures_of_the_papers_formula() -> None:
    logits = torch.randn(12, 4, dtype=torch.float64, requires_grad=True)
    probabilities = logits.softmax(1).view(4, 3, 4)  # turn, picture, guess
    by_formula = -sum(probabilities[turn, :, turn].log().sum() for turn in range(4)) / 12
    torch.testing.assert_close(rotation_loss(logits), by_formula)
    rotation_loss(logits).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_pictures_that_look_alike_from_all_sides_cannot_be_told_apart() -> None:
    torch.manual_seed(0)
    method = Rotation(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), Rotation.Config(hidden=16)).eval()
    flat = torch.rand(4, 1, 1, 1).expand(4, 1, 16, 16)
    output = method.training_step(Batch([flat]))
    assert output.loss >= math.log(4)  # equal logits for all turns cannot be better than even
    assert output.metrics["recognized"] == pytest.approx(0.25)


def test_half_precision_logits_make_a_float32_loss() -> None:
    assert rotation_loss(torch.zeros(4, 4, dtype=torch.bfloat16)).dtype == torch.float32
