"""VICReg's terms by hand and against lightly's loss."""

import pytest
import torch
from lightly.loss import VICRegLoss
from torch import Tensor

from components.methods.contracts import Batch
from components.methods.self_supervised.vicreg import EPSILON, VICReg, vicreg_terms
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given


def _loss(first: Tensor, second: Tensor) -> Tensor:
    invariance, variance, covariance = vicreg_terms(first, second)
    return 25 * invariance + 25 * variance + covariance


def test_terms_have_the_values_by_hand() -> None:
    first = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])  # variances 2 and 0, no covariance
    second = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])  # variances 2 and 2, covariance 2
    invariance, variance, covariance = vicreg_terms(first, second)
    assert invariance.item() == pytest.approx(2 / 4)
    assert variance.item() == pytest.approx((1 - EPSILON**0.5) / 2 / 2)  # hinge of one dead output, mean of 2, of 2
    assert covariance.item() == pytest.approx(2 * 2.0**2 / 2)  # two off-diagonal entries, squared, over D


def test_it_agrees_with_lightly() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(64, 32, generator=generator, requires_grad=True) for _ in range(2))
    ours, theirs = _loss(first, second), VICRegLoss()(first, second)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    mine = torch.autograd.grad(ours, first)[0]
    torch.testing.assert_close(mine, torch.autograd.grad(theirs, first)[0], rtol=1e-4, atol=1e-6)


def test_a_shift_of_all_outputs_changes_no_term() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(16, 8, generator=generator, dtype=torch.float64) for _ in range(2))
    for shifted, plain in zip(vicreg_terms(first + 3, second + 3), vicreg_terms(first, second), strict=True):
        torch.testing.assert_close(shifted, plain)


def test_collapsed_outputs_pay_the_whole_hinge_and_keep_a_finite_gradient() -> None:
    constant = torch.ones(8, 4, requires_grad=True)
    _, variance, _ = vicreg_terms(constant, constant)
    _loss(constant, constant).backward()
    assert variance.item() == pytest.approx(1 - EPSILON**0.5)
    assert torch.isfinite(constant.grad).all()


def test_a_step_reports_its_terms_and_the_loss_is_their_weighted_sum() -> None:
    torch.manual_seed(0)
    config = VICReg.Config(expander=16, invariance=2, variance=3, covariance=4)
    method = VICReg(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), config)
    output = method.training_step(Batch([torch.rand(8, 1, 16, 16), torch.rand(8, 1, 16, 16)]))
    figures = {name: float(value) for name, value in output.metrics.items()}
    total = 2 * figures["invariance"] + 3 * figures["variance"] + 4 * figures["covariance"]
    assert output.loss.item() == pytest.approx(total, rel=1e-5)
