"""BYOL's error by hand and against lightly's; its teacher and its step."""

import pytest
import torch
from lightly.loss import NegativeCosineSimilarity
from torch.nn.utils import parameters_to_vector

from components.methods.contracts import Batch
from components.methods.self_supervised.byol import BYOL, prediction_error
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given


def _method(**options: float) -> BYOL:
    torch.manual_seed(0)
    config = BYOL.Config(hidden=16, projection=8, **options)
    return BYOL(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), config).double()


def _batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch([torch.rand(8, 1, 16, 16, generator=generator, dtype=torch.float64) for _ in range(2)])


def test_same_right_angled_and_opposite_directions_have_the_values_by_hand() -> None:
    prediction = torch.tensor([[2.0, 0.0]])
    for target, error in (([5.0, 0.0], 0), ([0.0, 1.0], 2), ([-1.0, 0.0], 4)):
        assert prediction_error(prediction, torch.tensor([target])).item() == pytest.approx(error, abs=1e-6)


def test_it_is_the_squared_distance_on_the_sphere_and_agrees_with_lightly() -> None:
    pair = torch.randn(2, 32, 8, generator=torch.Generator().manual_seed(0))
    first, second = pair[0].requires_grad_(), pair[1]
    ours, theirs = prediction_error(first, second), 2 + 2 * NegativeCosineSimilarity()(first, second)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    unit = [rows / rows.norm(dim=1, keepdim=True) for rows in (first, second)]
    torch.testing.assert_close(ours, (unit[0] - unit[1]).square().sum(1).mean())
    mine = torch.autograd.grad(ours, first)[0]
    torch.testing.assert_close(mine, torch.autograd.grad(theirs, first)[0], rtol=1e-4, atol=1e-7)
    assert torch.isfinite(mine).all()


def test_the_order_of_the_views_does_not_matter() -> None:
    batch = _batch()
    swapped = Batch(batch.views[::-1])
    torch.testing.assert_close(_method().training_step(batch).loss, _method().training_step(swapped).loss)


def test_the_gradient_reaches_encoder_head_and_predictor_but_not_the_teacher() -> None:
    method = _method()
    method.training_step(_batch()).loss.backward()
    for name, parameter in method.named_parameters():
        assert (parameter.grad is None) == name.startswith("teacher."), name
        assert parameter.grad is None or torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize(("momentum", "progress", "moved"), [(0.8, 1e-9, 0.2), (0.8, 0.5, 0.1), (0.8, 1.0, 0.0)])
def test_the_teacher_follows_more_slowly_until_it_stands_still(momentum: float, progress: float, moved: float) -> None:
    method = _method(momentum=momentum)
    before = parameters_to_vector(method.teacher.parameters()).clone()
    with torch.no_grad():
        for parameter in method.parameters():
            if parameter.requires_grad:
                parameter += 1
    method.after_step(progress)
    change = parameters_to_vector(method.teacher.parameters()) - before
    torch.testing.assert_close(change, torch.full_like(change, moved))
