"""NNCLR's neighbors by hand, and its step against the formula."""

import torch
from torch import Tensor
from torch.nn import functional as F

from components.methods.contracts import Batch
from components.methods.queue import Queue
from components.methods.self_supervised.nnclr import NNCLR, nearest_in_queue
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given

SAMPLES, QUEUE, PROJECTION = 8, 20, 6


def _method(**options: object) -> NNCLR:
    torch.manual_seed(0)
    config = NNCLR.Config.model_validate({"hidden": 16, "projection": PROJECTION, "queue": QUEUE, **options})
    return NNCLR(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), config).double()


def _batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    views = [torch.rand(SAMPLES, 1, 16, 16, generator=generator, dtype=torch.float64) for _ in range(2)]
    return Batch(views, keys=torch.arange(SAMPLES))


def _support() -> tuple[Tensor, Tensor]:
    vectors = torch.randn(QUEUE, PROJECTION, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return F.normalize(vectors, dim=1), torch.arange(100, 100 + QUEUE)


def _outputs(method: NNCLR, batch: Batch) -> tuple[list[Tensor], list[Tensor]]:
    """Projections and predictions, of length 1."""
    projections = method.head(method.encoder(torch.cat(batch.views)))
    halves = [F.normalize(rows, dim=1).chunk(2) for rows in (projections, method.predictor(projections))]
    return list(halves[0]), list(halves[1])


def _cross_entropy(neighbors: Tensor, predictions: Tensor) -> Tensor:
    return F.cross_entropy(neighbors @ predictions.T / 0.1, torch.arange(SAMPLES))


def test_the_nearest_is_another_picture_of_the_queue_or_else_the_vector_itself() -> None:
    queue = Queue(4, 2)
    vectors, keys = torch.tensor([[3.0, 1.0], [0.0, 2.0]]), torch.tensor([0, 1])
    assert torch.equal(nearest_in_queue(vectors, keys, queue), vectors)
    queue.push(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]), torch.tensor([0, 7, 8]))
    # the first one's nearest is its own older vector; the second's is no one's own
    assert nearest_in_queue(vectors, keys, queue).tolist() == [[0, 1], [0, 1]]
    assert nearest_in_queue(vectors, torch.tensor([2, 1]), queue).tolist() == [[1, 0], [0, 1]]


def test_with_an_empty_queue_the_predictor_finds_the_other_view_of_the_same_picture() -> None:
    method, batch = _method(), _batch()
    (first, second), (one, two) = _outputs(method, batch)
    expected = (_cross_entropy(first, two) + _cross_entropy(second, one)) / 2
    torch.testing.assert_close(method.training_step(batch).loss, expected)


def test_a_step_is_equation_3_over_both_views() -> None:
    method, batch = _method(), _batch()
    vectors, keys = _support()
    method.queue.push(vectors, keys)
    (first, second), (one, two) = _outputs(method, batch)
    neighbors = [vectors[torch.cdist(rows, vectors).argmin(1)] for rows in (first, second)]
    expected = (_cross_entropy(neighbors[0], two) + _cross_entropy(neighbors[1], one)) / 2
    torch.testing.assert_close(method.training_step(batch).loss, expected)


def test_a_step_puts_the_first_views_projections_in_front() -> None:
    method, batch = _method(), _batch()
    (first, _), _ = _outputs(method, batch)
    method.training_step(batch)
    torch.testing.assert_close(method.queue.vectors[:SAMPLES], first)
    assert method.queue.keys[: SAMPLES + 1].tolist() == [*range(SAMPLES), -1]


def test_the_gradient_is_finite_and_reaches_everything() -> None:
    method = _method()
    method.queue.push(*_support())
    method.training_step(_batch()).loss.backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in method.parameters())
    assert all(parameter.grad.abs().sum() > 0 for parameter in method.encoder.parameters() if parameter.ndim > 1)


def test_hard_negatives_without_weight_change_nothing_and_with_it_raise_the_loss() -> None:
    batch = _batch()
    plain, zero, hard = (
        _method(**options).training_step(batch).loss
        for options in ({}, {"hard_negatives": {"beta": 0, "tau_plus": 0}}, {"hard_negatives": {"beta": 1}})
    )
    assert torch.equal(plain, zero)
    assert hard > plain
