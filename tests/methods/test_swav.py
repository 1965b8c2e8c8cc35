"""Sinkhorn's codes and SwAV's loss by hand and against lightly; its queue and prototypes."""

import math

import pytest
import torch
from lightly.loss import SwaVLoss
from torch import Tensor

from components.methods.self_supervised.swav import SwAV, sinkhorn, swapped_prediction
from components.models.encoders.small_resnet import SmallResnet
from tests.contracts.built import batch_of
from tests.pictures import given


def _cosines(views: int, samples: int, prototypes: int) -> Tensor:
    generator = torch.Generator().manual_seed(views)
    return torch.rand(views, samples, prototypes, generator=generator, dtype=torch.float64) * 2 - 1


def _swav(**options: object) -> SwAV:
    torch.manual_seed(0)
    config = SwAV.Config(prototypes=6, hidden=16, projection=8, **options)
    return SwAV(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), config)


def _views(method: SwAV, step: int = 0, samples: int = 8) -> list[Tensor]:
    generator = torch.Generator().manual_seed(step)
    return [torch.rand(samples, 1, 16, 16, generator=generator) for _ in method.views]


def test_one_iteration_gives_the_codes_by_hand() -> None:
    scores = 0.5 * torch.tensor([[3.0, 1.0], [1.0, 1.0]]).log()
    # columns: (3/4, 1/4) and (1/2, 1/2); then rows
    torch.testing.assert_close(sinkhorn(scores, 0.5, 1), torch.tensor([[0.6, 0.4], [1 / 3, 2 / 3]]))


def test_many_iterations_use_every_prototype_evenly_even_where_all_pictures_like_the_same_one() -> None:
    scores = _cosines(1, 12, 4)[0] * 0.2
    scores[:, 0] += 0.8
    codes = sinkhorn(scores, 0.05, 200)
    torch.testing.assert_close(codes.sum(1), torch.ones(12, dtype=torch.float64))
    torch.testing.assert_close(codes.sum(0), torch.full((4,), 3.0, dtype=torch.float64), rtol=1e-4, atol=0)


def test_pictures_that_look_all_alike_belong_to_every_prototype_alike() -> None:
    torch.testing.assert_close(sinkhorn(torch.tensor([[0.9, -0.3, 0.1]] * 5), 0.05, 3), torch.full((5, 3), 1 / 3))


def test_the_sharpest_codes_allowed_stay_finite_for_opposite_cosines() -> None:
    codes = sinkhorn(torch.tensor([[1.0, -1.0], [1.0, -1.0]]), 0.03, 3)
    torch.testing.assert_close(codes, torch.full((2, 2), 0.5))


def test_the_loss_has_the_value_by_hand() -> None:
    codes = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])
    scores = torch.tensor([[[0.5, 0.0]], [[0.0, 0.0]], [[0.0, 0.5]]])
    right, wrong = math.log(1 + math.exp(-1)), math.log(1 + math.e)
    # first code: views 2 and 3; second code: views 1 and 3
    assert swapped_prediction(scores, codes, 0.5).item() == pytest.approx((math.log(2) + wrong + wrong + right) / 4)


@pytest.mark.parametrize("views", [2, 5])
def test_codes_and_loss_agree_with_lightly(views: int) -> None:
    scores, earlier = _cosines(views, 32, 10).requires_grad_(), _cosines(2, 64, 10)
    codes = torch.stack([sinkhorn(torch.cat([scores[i], earlier[i]]).detach(), 0.05, 3)[:32] for i in (0, 1)])
    ours = swapped_prediction(scores, codes, 0.1)
    theirs = SwaVLoss()(list(scores[:2]), list(scores[2:]), list(earlier)).squeeze()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    mine, other = (torch.autograd.grad(loss, scores)[0] for loss in (ours, theirs))
    torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-8)
    assert mine.isfinite().all()


def test_the_queue_holds_the_newest_outputs_and_counts_only_once_it_is_full() -> None:
    queued, plain = _swav(queue=12), _swav()
    losses = []
    for step in range(3):
        batch = batch_of(plain, _views(plain, step))
        before = queued.queue.clone()
        losses.append([method.training_step(batch).loss.item() for method in (queued, plain)])
        assert torch.equal(queued.queue[8:], before[:4])
    assert losses[0][0] == losses[0][1]
    assert losses[1][0] == losses[1][1]  # 8 of 12
    assert losses[2][0] != losses[2][1]


def test_prototypes_keep_length_1() -> None:
    method = _swav()
    optimizer = torch.optim.SGD(method.parameters(), lr=1.0)
    method.training_step(batch_of(method, _views(method))).loss.backward()
    start = method.prototypes.directions.detach().clone()
    optimizer.step()
    method.after_step(0.5)
    assert not torch.allclose(method.prototypes.directions, start)
    torch.testing.assert_close(method.prototypes.directions.norm(dim=1), torch.ones(6))


def test_local_views_predict_and_leave_the_codes_alone() -> None:
    method = _swav(local_views=2, queue=8).eval()  # no batch statistics that views share
    views = _views(method)
    losses, kept = [], []
    for local in (views[2], views[3]):
        losses.append(method.training_step(batch_of(method, [*views[:2], local, local])).loss)
        kept.append(method.queue.clone())
        method.queue.zero_()
    assert losses[0] != losses[1]
    assert torch.equal(*kept)
    assert _swav(local_views=0).views == ("view", "view")
