"""Noisy student: what a teacher teaches, where students begin, and the noise."""

import numpy as np
import pytest
import torch
from mixed import LABELED, ROWS, SIZE, batch, network, softmax, supervised
from torch.nn.utils import parameters_to_vector

from components.methods.semi_supervised.noisy_student import NoisyStudent, lessons
from components.models.encoders.vit_small import VitSmall
from tests.pictures import given


def _method(**options: float) -> NoisyStudent:
    method = network("noisy_student", **options)
    assert isinstance(method, NoisyStudent)
    return method


def test_lessons_are_distributions_or_classes_and_nothing_below_the_threshold() -> None:
    said = torch.tensor([[0.7, 0.3], [0.45, 0.55]])
    assert lessons(said, 0.6, soft=True).tolist() == [pytest.approx([0.7, 0.3]), [0, 0]]
    assert lessons(said, 0.5, soft=False).tolist() == [[1, 0], [0, 1]]


def test_the_first_round_is_supervised_learning() -> None:
    method = _method()
    given = batch(method)
    method.before_round(0)
    method.before_epoch(lambda: pytest.fail("nothing is taught yet"), torch.Generator())
    assert method.training_step(given).loss.item() == pytest.approx(supervised(method, given))


def test_a_student_begins_where_the_teacher_began_and_learns_what_it_says() -> None:
    method = _method(threshold=0.0)
    start = parameters_to_vector(method.parameters()).clone()
    with torch.no_grad():
        for parameter in method.parameters():
            parameter += 0.1
    vectors = torch.randn(ROWS, method.encoder.dim, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    said = softmax(method.head(vectors))[: ROWS - LABELED]
    method.before_round(1)
    method.before_epoch(lambda: vectors, torch.Generator())
    torch.testing.assert_close(parameters_to_vector(method.parameters()), start)
    given = batch(method)
    own = softmax(method.logits(given.views[0]))[: ROWS - LABELED]
    expected = supervised(method, given) - (said * np.log(own)).sum(1).mean()
    assert method.training_step(given).loss.item() == pytest.approx(expected)


def test_a_teacher_speaks_once_a_round() -> None:
    method = _method()
    calls = []
    vectors = torch.zeros(ROWS, method.encoder.dim, dtype=torch.float64)
    for number in range(3):
        method.before_round(number)
        for _ in range(2):
            method.before_epoch(lambda: (calls.append(1), vectors)[1], torch.Generator())
    assert len(calls) == 2


def test_each_student_is_larger_than_its_teacher_and_begins_as_the_same_function() -> None:
    method = _method(grow=2, dropout=0.0).eval()
    assert method.growing is not None
    pictures = batch(method).views[0]
    start = method.logits(pictures)
    for number in range(3):
        method.before_round(number)
        torch.testing.assert_close(method.logits(pictures), start, rtol=0, atol=0)
        method.zero_grad(set_to_none=True)
        method.training_step(batch(method)).loss.backward()
        assert [copy.gate.grad is not None for copy in method.growing.copies] == [True] * 2 * number + [False] * (
            6 - 2 * number
        )


def test_there_is_noise_while_it_trains_and_none_after() -> None:
    method = _method(dropout=0.5)
    pictures = batch(method).views[0]
    torch.testing.assert_close(method.logits(pictures), method.head(method.encoder(pictures)))
    method.encoder.requires_grad_(False)
    method.train()
    assert not torch.allclose(method.logits(pictures), method.logits(pictures))


def test_of_the_blocks_so_many_rows_pass_and_the_mean_stays() -> None:
    torch.manual_seed(0)
    encoder = VitSmall(given(1, SIZE), VitSmall.Config(patch=8, width=24, depth=2, heads=2))
    config = NoisyStudent.Config(survival=0.5)
    method = NoisyStudent(encoder, torch.nn.Linear(encoder.dim, 3), 1, config).train()
    block = next(
        module for name, module in method.encoder.named_modules() if name.endswith(".1") and any(module.children())
    )
    tokens = torch.randn(1, 5, 24).repeat(2000, 1, 1)
    whole = block.eval()(tokens[:1]) - tokens[:1]
    passed = (block.train()(tokens) - tokens).detach()
    skipped = passed.abs().amax((1, 2)) < 1e-6
    assert skipped.float().mean().item() == pytest.approx(0.5, abs=0.05)
    torch.testing.assert_close(passed[~skipped][0], 2 * whole[0].detach(), rtol=1e-4, atol=1e-5)
