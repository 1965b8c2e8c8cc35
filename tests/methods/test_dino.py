"""DINO's loss by hand and against lightly; its center and its teacher."""

import math

import pytest
import torch
from lightly.loss import DINOLoss
from torch import Tensor

from components.methods.self_supervised.dino import DINO, dino_loss
from components.models.encoders.small_resnet import SmallResnet
from tests.contracts.built import batch_of
from tests.pictures import given


def _outputs(views: int, samples: int = 16, count: int = 12) -> Tensor:
    generator = torch.Generator().manual_seed(views)
    return torch.randn(views, samples, count, generator=generator, dtype=torch.float64)


def _dino(**options: object) -> DINO:
    torch.manual_seed(0)
    config = DINO.Config(outputs=6, hidden=16, bottleneck=8, **options)
    return DINO(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), config)


def _views(method: DINO) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(8, 1, 16, 16, generator=generator) for _ in method.views]


def test_the_loss_has_the_value_by_hand() -> None:
    teacher = torch.tensor([[[math.log(3), 0.0]], [[0.0, 0.0]]])  # 3/4 and 1/4; even
    student = torch.tensor([[[0.0, 0.0]], [[math.log(3), 0.0]]])
    first = math.log(4) - 0.75 * math.log(3)  # of the teacher's first view with the student's second
    assert dino_loss(student, teacher, torch.zeros(2), 1.0, 1.0).item() == pytest.approx((first + math.log(2)) / 2)


@pytest.mark.parametrize("views", [2, 4])
def test_loss_gradient_and_center_agree_with_lightly(views: int) -> None:
    student, teacher = _outputs(views).requires_grad_(), _outputs(2) / 10
    reference = DINOLoss(12)
    reference.center = reference.center.double()
    reference([*teacher], [*student])  # moves its center away from 0
    center = reference.center.flatten().clone()
    torch.testing.assert_close(center, 0.1 * teacher.mean((0, 1)))
    ours, theirs = dino_loss(student, teacher, center, 0.1, 0.04), reference([*teacher], [*student])
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    mine, other = (torch.autograd.grad(loss, student)[0] for loss in (ours, theirs))
    torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-8)
    assert mine.isfinite().all()


def test_what_all_the_teachers_outputs_share_does_not_count() -> None:
    student, teacher, center, shared = _outputs(3), _outputs(2), torch.zeros(12).double(), _outputs(1)[0, 0]
    plain = dino_loss(student, teacher, center, 0.1, 0.04)
    torch.testing.assert_close(dino_loss(student, teacher + shared, center + shared, 0.1, 0.04), plain)


def test_the_sharpest_teacher_gives_a_single_answer() -> None:
    student, teacher = _outputs(2), _outputs(2)
    logs = student.log_softmax(2).flip(0)  # of the other view
    answers = teacher.argmax(2, keepdim=True)
    expected = -logs.gather(2, answers).mean()
    torch.testing.assert_close(dino_loss(student, teacher, torch.zeros(12).double(), 1.0, 1e-6), expected)


def test_a_step_moves_the_center_to_the_mean_of_the_teachers_outputs() -> None:
    method = _dino(center_momentum=0.75)
    batch = batch_of(method, _views(method))
    outputs = method.teacher(torch.cat(batch.views[:2]))
    method.training_step(batch)
    torch.testing.assert_close(method.center, 0.25 * outputs.mean(0))
    method.training_step(batch)
    torch.testing.assert_close(method.center, (0.25 + 0.75 * 0.25) * outputs.mean(0))


def test_the_teacher_learns_from_the_student_and_from_nothing_else() -> None:
    method = _dino(momentum=0.5)
    start = {name: value.clone() for name, value in method.teacher.named_parameters()}
    optimizer = torch.optim.SGD([p for p in method.parameters() if p.requires_grad], lr=0.1)
    method.training_step(batch_of(method, _views(method))).loss.backward()
    optimizer.step()
    assert all(p.grad is None and torch.equal(p, start[name]) for name, p in method.teacher.named_parameters())
    method.after_step(1.0)  # at the end of training it stands still
    assert all(torch.equal(p, start[name]) for name, p in method.teacher.named_parameters())
    method.after_step(1e-9)
    halfway = (start["network.0.stem.0.weight"] + method.encoder.stem[0].weight) / 2
    torch.testing.assert_close(method.teacher.network[0].stem[0].weight, halfway)


def test_the_student_alone_sees_local_views() -> None:
    method = _dino(local_views=3)
    seen = []
    for network in (method.encoder, method.teacher.network[0]):
        network.register_forward_hook(lambda _, inputs, __: seen.append(tuple(inputs[0].shape)))
    method.training_step(batch_of(method, _views(method)))
    assert seen == [(16, 1, 16, 16), (24, 1, 8, 8), (16, 1, 16, 16)]
