"""NT-Xent against its formula, autograd and lightly; SimCLR's step."""

import math

import pytest
import torch
from lightly.loss import NTXentLoss
from torch import Tensor
from torch.nn import functional as F

from components.methods.contracts import Batch
from components.methods.info_nce import PLAIN
from components.methods.self_supervised.simclr import BLOCK, SimCLR, hard_nt_xent, nt_xent
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given


def _plain(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """The paper's equation 1 as it stands."""
    views = F.normalize(torch.cat([first, second]), dim=1)
    similarity = views @ views.T / temperature
    similarity = similarity.masked_fill(torch.eye(len(views), dtype=torch.bool), -math.inf)
    return F.cross_entropy(similarity, torch.arange(len(views)).roll(len(first)))


def _outputs(samples: int, dim: int = 16, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(samples)
    pair = torch.randn(2, samples, dim, generator=generator, dtype=dtype)
    return pair[0].requires_grad_(), pair[1].requires_grad_()


def test_two_samples_at_right_angles_give_the_value_by_hand() -> None:
    eye = torch.eye(2)
    # each view: its partner at similarity 1, two strangers at 0
    assert nt_xent(eye, eye, 0.5).item() == pytest.approx(-math.log(math.e**2 / (math.e**2 + 2)), rel=1e-6)


@pytest.mark.parametrize("samples", [3, BLOCK // 2, BLOCK + 5])
def test_loss_and_gradient_are_those_of_the_plain_formula(samples: int) -> None:
    first, second = _outputs(samples)
    for temperature in (0.1, 0.5):
        ours = torch.autograd.grad(nt_xent(first, second, temperature), (first, second))
        plain = torch.autograd.grad(_plain(first, second, temperature), (first, second))
        torch.testing.assert_close(nt_xent(first, second, temperature), _plain(first, second, temperature))
        for mine, theirs in zip(ours, plain, strict=True):
            torch.testing.assert_close(mine, theirs)


def test_it_agrees_with_lightly() -> None:
    first, second = _outputs(200, dtype=torch.float32)
    ours, theirs = nt_xent(first, second, 0.2), NTXentLoss(0.2)(first, second)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    mine = torch.autograd.grad(ours, first)[0]
    torch.testing.assert_close(mine, torch.autograd.grad(theirs, first)[0], rtol=1e-4, atol=1e-7)


def test_neither_length_nor_order_of_the_samples_matters() -> None:
    first, second = _outputs(12)
    order = torch.randperm(12)
    lengths = torch.rand(12, 1, dtype=torch.float64) + 0.1
    torch.testing.assert_close(nt_xent(first[order] * lengths, second[order], 0.3), nt_xent(first, second, 0.3))


def test_the_lowest_temperature_allowed_stays_finite_for_opposite_vectors() -> None:
    first = torch.tensor([[1.0, 0.0], [1.0, 0.0]], requires_grad=True)
    loss = nt_xent(first, -first.detach(), 0.03)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(first.grad).all()


def test_an_upstream_factor_scales_the_gradient() -> None:
    first, second = _outputs(4)
    once = torch.autograd.grad(nt_xent(first, second, 0.5), first)[0]
    thrice = torch.autograd.grad(3 * nt_xent(first, second, 0.5), first)[0]
    torch.testing.assert_close(thrice, 3 * once)


def test_equal_views_make_a_smaller_loss_than_views_of_other_pictures() -> None:
    torch.manual_seed(0)
    method = SimCLR(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), SimCLR.Config())
    pictures = torch.rand(32, 1, 16, 16)
    same = method.training_step(Batch([pictures, pictures])).loss
    other = method.training_step(Batch([pictures, pictures.roll(1, 0)])).loss
    assert same < other


def test_hard_negatives_without_weight_are_the_plain_loss() -> None:
    first, second = _outputs(12)
    plain, hard = nt_xent(first, second, 0.3), hard_nt_xent(first, second, 0.3, PLAIN)
    torch.testing.assert_close(hard, plain)
    for mine, theirs in zip(*(torch.autograd.grad(loss, (first, second)) for loss in (hard, plain)), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_concentration_on_hard_negatives_raises_the_loss_of_a_step() -> None:
    losses = []
    for beta in (0, 1):
        torch.manual_seed(0)
        config = SimCLR.Config.model_validate({"hard_negatives": {"beta": beta}})
        method = SimCLR(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), config)
        losses.append(method.training_step(Batch([torch.rand(8, 1, 16, 16), torch.rand(8, 1, 16, 16)])).loss)
    assert losses[1] > losses[0]
