"""Mean teacher's loss by numpy, and its teacher at the limits of the decay."""

import numpy as np
import pytest
import torch
from mixed import batch, network, softmax, supervised
from torch import nn
from torch.nn.utils import parameters_to_vector

from components.methods.semi_supervised.mean_teacher import MeanTeacher


def _method(**options: float) -> MeanTeacher:
    method = network("mean_teacher", **options)
    assert isinstance(method, MeanTeacher)
    return method


def _students(method: MeanTeacher) -> torch.Tensor:
    return parameters_to_vector(nn.Sequential(method.encoder, method.head).parameters()).detach()


def _teachers(method: MeanTeacher) -> torch.Tensor:
    encoder, head = method.classifier()
    return parameters_to_vector([*encoder.parameters(), *head.parameters()])


def _move(method: MeanTeacher, by: float) -> None:
    with torch.no_grad():
        for parameter in [*method.encoder.parameters(), *method.head.parameters()]:
            parameter += by


def test_the_student_learns_from_the_teacher_and_not_the_other_way_round() -> None:
    method = _method(ramp=0.0)
    given = batch(method)
    _move(method, 0.05)
    method.training_step(given).loss.backward()
    assert all(parameter.grad is None for parameter in method.teacher.parameters())
    assert all(parameter.grad is not None for parameter in method.head.parameters())


def test_the_loss_is_the_papers() -> None:
    method = _method(weight=3.0, ramp=0.5)
    given = batch(method)
    _move(method, 0.05)  # away from its teacher
    method.progress = 0.25
    student = softmax(method.logits(given.views[0]))
    teacher = softmax(method.teacher(given.views[1]))
    expected = supervised(method, given) + 3 * np.exp(-1.25) * ((student - teacher) ** 2).mean()
    assert method.training_step(given).loss.item() == pytest.approx(expected)


def test_with_decay_zero_the_teacher_is_the_student() -> None:
    method = _method(decay=0.0)
    for step in range(3):
        _move(method, 1.0)
        method.after_step((step + 1) / 3)
        torch.testing.assert_close(_teachers(method), _students(method))


def test_the_teacher_is_the_mean_of_the_first_steps_and_then_follows_by_the_decay() -> None:
    method = _method(decay=0.75)
    start = _students(method)
    positions, expected = [], 0.0
    for step in range(6):
        _move(method, 1.0)
        positions.append(step + 1.0)
        method.after_step((step + 1) / 6)
        expected = float(np.mean(positions)) if step < 4 else 0.75 * expected + 0.25 * positions[-1]
        torch.testing.assert_close(_teachers(method) - start, torch.full_like(start, expected))


def test_the_optimizer_is_not_given_the_teacher() -> None:
    method = _method()
    given = {id(parameter) for group in method.parameter_groups(0.1) for parameter in group["params"]}
    assert not given & {id(parameter) for parameter in method.teacher.parameters()}
