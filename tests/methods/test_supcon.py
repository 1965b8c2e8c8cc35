"""SupCon: its loss against equation 2 written with loops, by hand, its limits; the head is solved at the end."""

import math

import pytest
import torch
from torch import Tensor

from components.methods.adaptation.supcon import SupCon, supervised_contrast
from components.methods.contracts import Batch
from components.methods.self_supervised.simclr import nt_xent
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given


def _loops(outputs: Tensor, classes: list[int], temperature: float) -> float:
    """The paper's equation 2 as it stands, divided by the number of anchors."""
    rows = [row / row.norm() for row in outputs]
    total = 0.0
    for i, anchor in enumerate(rows):
        others = [j for j in range(len(rows)) if j != i]
        positives = [j for j in others if classes[j] == classes[i]]
        below = sum(math.exp(float(anchor @ rows[a]) / temperature) for a in others)
        terms = [math.log(math.exp(float(anchor @ rows[p]) / temperature) / below) for p in positives]
        total += -sum(terms) / len(positives)
    return total / len(rows)


def _outputs(count: int) -> Tensor:
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_loss_is_the_papers_equation_2(temperature: float) -> None:
    classes = [0, 0, 1, 2, 1, 2, 2, 0]
    targets = torch.eye(3, dtype=torch.float64)[classes]
    loss = supervised_contrast(_outputs(8), targets, torch.ones(8, dtype=torch.float64), temperature)
    assert loss.item() == pytest.approx(_loops(_outputs(8), classes, temperature), rel=1e-9)


def test_with_a_class_for_every_picture_it_is_nt_xent() -> None:
    first, second = _outputs(8).chunk(2)
    targets = torch.eye(4, dtype=torch.float64).repeat(2, 1)
    loss = supervised_contrast(torch.cat([first, second]), targets, torch.ones(8, dtype=torch.float64), 0.3)
    torch.testing.assert_close(loss, nt_xent(first, second, 0.3))


def test_two_classes_at_right_angles_give_the_value_by_hand() -> None:
    eye = torch.eye(2).repeat(2, 1)
    # each has one positive at cosine 1 and two negatives at 0
    expected = -math.log(math.e**2 / (math.e**2 + 2))
    assert supervised_contrast(eye, eye, torch.ones(4), 0.5).item() == pytest.approx(expected, rel=1e-6)


def test_a_soft_target_is_a_positive_by_the_chance_that_the_classes_agree() -> None:
    outputs, weights = _outputs(3), torch.ones(3, dtype=torch.float64)
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.4, 0.6]], dtype=torch.float64)
    unit = outputs / outputs.norm(dim=1, keepdim=True)
    cosines = unit @ unit.T
    first = -(cosines[0, 1:].log_softmax(0) * torch.tensor([1.0, 0.4]) / 1.4).sum()
    second = -(cosines[1, [0, 2]].log_softmax(0) * torch.tensor([1.0, 0.4]) / 1.4).sum()
    third = -(cosines[2, :2].log_softmax(0) * torch.tensor([0.5, 0.5])).sum()
    torch.testing.assert_close(supervised_contrast(outputs, targets, weights, 1.0), (first + second + third) / 3)


def test_a_sample_of_no_weight_is_no_anchor_and_no_positive() -> None:
    outputs, targets = _outputs(4).requires_grad_(), torch.eye(2, dtype=torch.float64)[[0, 0, 1, 1]]
    weights = torch.tensor([1.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    loss = supervised_contrast(outputs, targets, weights, 1.0)
    torch.testing.assert_close(loss, supervised_contrast(outputs, targets[[0, 0, 1, 0]], weights, 1.0))
    assert torch.isfinite(torch.autograd.grad(loss, outputs)[0]).all()


def test_steps_leave_the_head_alone_and_it_is_solved_at_the_end() -> None:
    torch.manual_seed(0)
    method = SupCon(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), 2, SupCon.Config())
    views = [torch.randn(6, 1, 16, 16) for _ in method.views]
    method.training_step(Batch(views, torch.eye(2)[[0, 1, 0, 1, 0, 1]], torch.ones(6))).loss.backward()
    assert all(p.grad is None and not p.requires_grad for p in method.head.parameters())
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in method.encoder.parameters())
    solved: list[float] = []
    method.finish(lambda: solved.append(1.0) or 0.0)  # type: ignore[func-returns-value]
    assert solved == [1.0]
