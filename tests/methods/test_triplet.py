"""Triplet: which negative is chosen, its loss against loops and torch's own, its limits."""

import numpy as np
import pytest
import torch
from torch import Tensor

from components.methods.adaptation.triplet import Triplet, triplet_losses
from components.methods.contracts import Batch
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given

MARGIN = 0.2


def _at(*degrees: float) -> Tensor:
    """Unit vectors in the plane."""
    angles = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    return torch.stack([angles.cos(), angles.sin()], 1)


def _loss(vectors: Tensor, classes: list[int], weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    weights = torch.ones(len(classes), dtype=torch.float64) if weights is None else weights
    return triplet_losses(vectors, torch.tensor(classes), weights, MARGIN)


def _squared(first: float, second: float) -> float:
    return float(2 - 2 * np.cos(np.deg2rad(first - second)))


def test_the_negative_is_the_nearest_of_those_farther_than_the_positive() -> None:
    losses, _ = _loss(_at(0, 20, 10, 25, 90), [0, 0, 1, 1, 1])  # at 10 too near, at 25 semi-hard, at 90 easy
    assert losses[0, 1].item() == pytest.approx(_squared(0, 20) - _squared(0, 25) + MARGIN)


def test_where_none_is_farther_it_is_the_farthest() -> None:
    losses, _ = _loss(_at(0, 60, 10, 30), [0, 0, 1, 1])
    assert losses[0, 1].item() == pytest.approx(_squared(0, 60) - _squared(0, 30) + MARGIN)


def test_a_kept_margin_costs_nothing() -> None:
    losses, pairs = _loss(_at(0, 5, 90, 95), [0, 0, 1, 1])
    assert losses.sum() == 0
    assert pairs.sum() == 4


def test_losses_are_those_of_loops_and_of_torch() -> None:
    vectors = torch.randn(12, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    classes = [0, 1, 2] * 4
    losses, pairs = _loss(vectors, classes)
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    squared = (unit[:, None] - unit).square().sum(2)
    judge = torch.nn.TripletMarginWithDistanceLoss(
        distance_function=lambda one, other: (one - other).square().sum(-1), margin=MARGIN, reduction="none"
    )
    for a in range(12):
        for p in range(12):
            if a == p or classes[a] != classes[p]:
                assert pairs[a, p] == 0
                continue
            others = [n for n in range(12) if classes[n] != classes[a]]
            farther = [n for n in others if squared[a, n] > squared[a, p]]
            n = min(farther, key=lambda n: squared[a, n]) if farther else max(others, key=lambda n: squared[a, n])
            torch.testing.assert_close(losses[a, p], judge(unit[a][None], unit[p][None], unit[n][None])[0])


def test_a_batch_of_one_class_has_nothing_to_say() -> None:
    vectors = _at(0, 20, 40).requires_grad_()
    losses, pairs = _loss(vectors, [1, 1, 1])
    assert losses.sum() == 0
    assert pairs.sum() == 0
    assert torch.autograd.grad(losses.sum(), vectors)[0].abs().sum() == 0


def test_a_pair_weighs_what_both_do() -> None:
    _, pairs = _loss(_at(0, 20, 90), [0, 0, 1], torch.tensor([0.5, 0.4, 1.0], dtype=torch.float64))
    assert pairs[0, 1].item() == pytest.approx(0.2)


def test_steps_train_the_encoder_alone_and_the_head_is_solved_at_the_end() -> None:
    torch.manual_seed(0)
    method = Triplet(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), 2, Triplet.Config())
    output = method.training_step(Batch([torch.randn(6, 1, 16, 16)], torch.eye(2)[[0, 1] * 3], torch.ones(6)))
    output.loss.backward()
    assert 0 <= float(output.metrics["active"]) <= 1
    assert all(p.grad is None and not p.requires_grad for p in method.head.parameters())
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in method.encoder.parameters())
    solved: list[float] = []
    method.finish(lambda: solved.append(1.0) or 0.0)  # type: ignore[func-returns-value]
    assert solved == [1.0]
