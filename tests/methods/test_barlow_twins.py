"""Barlow Twins' terms by hand and against lightly's loss."""

import pytest
import torch
from lightly.loss import BarlowTwinsLoss
from torch import Tensor

from components.methods.contracts import Batch
from components.methods.self_supervised.barlow_twins import BarlowTwins, barlow_twins_terms
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given


def _loss(first: Tensor, second: Tensor) -> Tensor:
    invariance, redundancy = barlow_twins_terms(first, second)
    return invariance + 0.005 * redundancy


def _pair(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    pair = torch.randn(2, 32, 8, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return pair[0].requires_grad_(), pair[1].requires_grad_()


def test_terms_have_the_values_by_hand() -> None:
    one, other = torch.tensor([1.0, -1.0, 1.0, -1.0]), torch.tensor([1.0, 1.0, -1.0, -1.0])  # uncorrelated
    invariance, redundancy = barlow_twins_terms(torch.stack([one, other], 1), torch.stack([one, -one], 1))
    # correlations: 1, -1 in the first row, 0, 0 in the second
    assert invariance.item() == pytest.approx(1, rel=1e-3)
    assert redundancy.item() == pytest.approx(1, rel=1e-3)


def test_it_agrees_with_lightly() -> None:
    first, second = _pair(torch.float32)
    ours, theirs = _loss(first, second), BarlowTwinsLoss()(first, second)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    mine = torch.autograd.grad(ours, first)[0]
    torch.testing.assert_close(mine, torch.autograd.grad(theirs, first)[0], rtol=1e-4, atol=1e-6)


def test_neither_shift_nor_scale_of_an_output_matters() -> None:
    first, second = _pair()
    scale = torch.linspace(1, 5, 8, dtype=torch.float64)
    for changed, plain in zip(
        barlow_twins_terms(first * scale + 3, second - 1), barlow_twins_terms(first, second), strict=True
    ):
        torch.testing.assert_close(changed, plain, rtol=1e-3, atol=1e-4)  # but for batch norm's epsilon


def test_uncorrelated_outputs_that_agree_cost_nothing() -> None:
    columns = torch.linalg.qr(_pair()[0].detach() - _pair()[0].detach().mean(0)).Q * 100
    assert _loss(columns, columns).item() == pytest.approx(0, abs=1e-6)


def test_collapsed_outputs_pay_the_whole_invariance_and_keep_a_finite_gradient() -> None:
    constant = torch.ones(8, 4, requires_grad=True)
    invariance, _ = barlow_twins_terms(constant, constant)
    invariance.backward()
    assert invariance.item() == pytest.approx(4)
    assert torch.isfinite(constant.grad).all()


def test_a_step_reports_its_terms_and_the_loss_is_their_weighted_sum() -> None:
    torch.manual_seed(0)
    config = BarlowTwins.Config(projector=16, redundancy=0.5)
    method = BarlowTwins(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), config)
    output = method.training_step(Batch([torch.rand(8, 1, 16, 16), torch.rand(8, 1, 16, 16)]))
    total = output.metrics["invariance"] + 0.5 * output.metrics["redundancy"]
    torch.testing.assert_close(output.loss, total, rtol=1e-5, atol=0)
