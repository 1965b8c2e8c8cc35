"""MoCo's step against the formula; what its queue and its teacher do."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils import parameters_to_vector

from components.methods.contracts import Batch
from components.methods.self_supervised.moco import MoCo
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given

SAMPLES, QUEUE, PROJECTION = 8, 12, 6


def _method(**options: object) -> MoCo:
    torch.manual_seed(0)
    config = MoCo.Config.model_validate({"hidden": 16, "projection": PROJECTION, "queue": QUEUE, **options})
    return MoCo(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), config).double()


def _batch(seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    views = [torch.rand(SAMPLES, 1, 16, 16, generator=generator, dtype=torch.float64) for _ in range(2)]
    return Batch(views, keys=torch.arange(SAMPLES))


def _older(keys: Tensor) -> Tensor:
    return torch.randn(len(keys), PROJECTION, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_with_a_full_queue_of_other_pictures_the_loss_is_the_papers() -> None:
    method, batch, keys = _method(), _batch(), torch.arange(100, 100 + QUEUE)
    method.queue.push(_older(keys), keys)
    loss = method.training_step(batch).loss
    queries = F.normalize(method.head(method.encoder(batch.views[0])), dim=1)
    positives = F.normalize(method.teacher(batch.views[1]), dim=1)
    # the keys of the batch are candidates like those of the queue, and a query's own is the positive
    logits = queries @ torch.cat([positives, F.normalize(_older(keys), dim=1)]).T / 0.2
    own, others = logits.diagonal(), logits[~torch.eye(SAMPLES, SAMPLES + QUEUE, dtype=torch.bool)].view(SAMPLES, -1)
    mean = others.exp().mean(1) * (SAMPLES + QUEUE)
    torch.testing.assert_close(loss, -(own.exp() / (own.exp() + mean)).log().mean())


def test_a_pictures_own_older_vectors_are_no_negatives() -> None:
    empty, full = _method(), _method()
    everyones = torch.arange(QUEUE) % 2
    batch = Batch([view[:2] for view in _batch().views], keys=torch.tensor([0, 1]))
    full.queue.push(full.teacher(batch.views[1])[everyones], everyones)  # in the queue each finds only the other's key
    torch.testing.assert_close(full.training_step(batch).loss, empty.training_step(batch).loss)


def test_a_step_puts_the_teachers_vectors_of_the_second_view_in_front() -> None:
    method, batch = _method(), _batch()
    expected = method.teacher(batch.views[1])
    method.training_step(batch)
    torch.testing.assert_close(method.queue.vectors[:SAMPLES], expected)
    assert method.queue.keys.tolist() == [*range(SAMPLES), *[-1] * (QUEUE - SAMPLES)]


def test_hard_negatives_without_weight_change_nothing_and_with_it_raise_the_loss() -> None:
    batch = _batch()
    plain, zero, hard = (
        _method(**options).training_step(batch).loss
        for options in ({}, {"hard_negatives": {"beta": 0, "tau_plus": 0}}, {"hard_negatives": {"beta": 1}})
    )
    assert torch.equal(plain, zero)
    assert hard > plain


@pytest.mark.parametrize("momentum", [0.0, 0.75, 1.0])
def test_the_teacher_moves_by_what_momentum_leaves_and_has_no_gradient(momentum: float) -> None:
    method = _method(momentum=momentum)
    method.training_step(_batch()).loss.backward()
    assert all(parameter.grad is None for parameter in method.teacher.parameters())
    before = parameters_to_vector(method.teacher.parameters()).clone()
    with torch.no_grad():
        for parameter in [*method.encoder.parameters(), *method.head.parameters()]:
            assert torch.isfinite(parameter.grad).all()
            parameter += 1
    method.after_step(0.5)
    change = parameters_to_vector(method.teacher.parameters()) - before
    torch.testing.assert_close(change, torch.full_like(change, 1 - momentum))
