"""The match by formula, and a choice that the right patch alone decides."""

import math

import pytest
import torch

from components.core.errors import WinnowError
from components.methods.contracts import Batch
from components.methods.self_supervised.selfie import Selfie, match
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given


def _method(**options: object) -> Selfie:
    torch.manual_seed(0)
    config = Selfie.Config.model_validate({"width": 32, "depth": 1, **options})
    return Selfie(SmallResnet(given(1, 32), SmallResnet.Config(width=8)), config)


def test_a_gap_scores_each_patch_by_the_product_over_the_root_of_the_width() -> None:
    queries, patches = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    scores = match(queries, patches)
    for picture in range(2):
        for gap in range(3):
            for patch in range(3):
                by_hand = sum(a * b for a, b in zip(queries[picture, gap], patches[picture, patch], strict=True)) / 2
                assert scores[picture, gap, patch].item() == pytest.approx(float(by_hand), abs=1e-5)
    assert match(queries.bfloat16(), patches.bfloat16()).dtype == torch.float32


def test_patches_that_are_alike_cost_the_logarithm_of_their_number() -> None:
    method = _method().eval()
    output = method.training_step(Batch([torch.full((4, 1, 32, 32), 0.7)], generator=torch.Generator().manual_seed(0)))
    assert output.loss.item() == pytest.approx(math.log(method.taken), rel=1e-4)


@pytest.mark.parametrize(("taken", "expected"), [(0.25, 4), (0.01, 2), (0.99, 15), (0.5, 8)])
def test_the_share_taken_out_leaves_something_to_see_and_something_to_choose(taken: float, expected: int) -> None:
    assert _method(taken=taken).taken == expected


def test_the_pool_sees_no_patch_that_was_taken_out() -> None:
    method = _method().eval()
    lengths: list[int] = []
    method.context[0].register_forward_hook(lambda _, inputs, __: lengths.append(inputs[0].shape[1]))
    method.training_step(Batch([torch.rand(2, 1, 32, 32)], generator=torch.Generator().manual_seed(0)))
    assert lengths == [1 + 12]


def test_it_learns_to_pick_where_places_differ() -> None:
    method = _method()
    rows = torch.linspace(-2, 2, 32)
    picture = (rows[:, None] * rows).sin()[None, None].expand(64, 1, 32, 32)
    optimizer = torch.optim.AdamW(method.parameters(), lr=0.003)
    losses = []
    for step in range(25):
        loss = method.training_step(Batch([picture], generator=torch.Generator().manual_seed(step))).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_gradients_reach_the_encoder() -> None:
    method = _method()
    method.training_step(Batch([torch.rand(4, 1, 32, 32)], generator=torch.Generator().manual_seed(0))).loss.backward()
    assert all(bool(p.grad is not None and p.grad.isfinite().all()) for p in method.encoder.parameters())


def test_heads_must_share_the_width() -> None:
    with pytest.raises(WinnowError, match="cannot share a width"):
        _method(width=32, heads=3)
