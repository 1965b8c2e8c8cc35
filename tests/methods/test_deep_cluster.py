"""DeepCluster's loss and weights by hand; what it clusters, and what becomes of empty clusters."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from components.methods.self_supervised.deep_cluster import DeepCluster, cluster_loss, cluster_weights
from components.models.encoders.small_resnet import SmallResnet
from tests.contracts.built import batch_of
from tests.pictures import given


def _method(**options: object) -> DeepCluster:
    torch.manual_seed(0)
    config = DeepCluster.Config(hidden=32, projection=16, **options)
    return DeepCluster(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), config)


def _blobs(per_blob: int = 10) -> Tensor:
    """Vectors `(30, 32)` in three groups, sample i in group i modulo 3."""
    generator = torch.Generator().manual_seed(0)
    means = 5 * torch.randn(3, 32, generator=generator)
    return means.repeat(per_blob, 1) + 0.1 * torch.randn(3 * per_blob, 32, generator=generator)


def _cluster(method: DeepCluster, vectors: Callable[[], Tensor], epoch: int = 0) -> None:
    method.before_epoch(vectors, torch.Generator().manual_seed(epoch))


def test_the_loss_has_the_value_by_hand() -> None:
    outputs = torch.tensor([[[3.0, 0.0], [0.0, 0.2]]])  # any length
    loss = cluster_loss(outputs, torch.eye(2), torch.tensor([0, 0]), torch.tensor([2.0, 1.0]), 0.5)
    right, wrong = math.log(1 + math.exp(-2)), math.log(1 + math.exp(2))
    assert loss.item() == pytest.approx(2 * (right + wrong) / 2)


def test_the_loss_is_the_plain_cross_entropy_of_every_view_where_clusters_are_of_one_size() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(3, 8, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    centers = F.normalize(torch.randn(4, 5, generator=generator, dtype=torch.float64), dim=1)
    targets = torch.arange(4).repeat(2)
    loss = cluster_loss(outputs, centers, targets, cluster_weights(torch.tensor([9, 9, 9, 9])), 0.1)
    plain = [F.cross_entropy(F.cosine_similarity(view[:, None], centers, dim=2) / 0.1, targets) for view in outputs]
    torch.testing.assert_close(loss, torch.stack(plain).mean())
    loss.backward()
    assert outputs.grad.isfinite().all()


def test_clusters_weigh_alike_whatever_their_size() -> None:
    sizes = torch.tensor([1, 3, 8])
    weights = cluster_weights(sizes)
    torch.testing.assert_close(weights * sizes, torch.full((3,), 4.0, dtype=torch.float64))
    assert (weights * sizes).sum() / 12 == 1


def test_the_keys_of_samples_find_their_cluster_in_any_order() -> None:
    method = _method(clusters=3)
    _cluster(method, _blobs)
    groups = method.assignment.view(10, 3)
    assert (groups == groups[0]).all()
    assert groups[0].unique().numel() == 3
    views = [torch.rand(30, 1, 16, 16) for _ in method.views]
    order = torch.randperm(30)
    loss = method.training_step(batch_of(method, views)).loss
    shuffled = batch_of(method, [view[order] for view in views], keys=order)
    torch.testing.assert_close(method.training_step(shuffled).loss, loss)
    wrong = batch_of(method, [view[order] for view in views])
    assert not torch.allclose(method.training_step(wrong).loss, loss)


def test_an_empty_cluster_is_counted_and_left_out() -> None:
    method = _method(clusters=8)
    _cluster(method, lambda: torch.tensor([[1.0], [-1.0]]).expand(2, 32).repeat(10, 1))  # two different pictures
    assert len(method.centers) == 2
    assert sorted(method.assignment.unique().tolist()) == [0, 1]
    views = [torch.rand(20, 1, 16, 16) for _ in method.views]
    output = method.training_step(batch_of(method, views))
    assert output.metrics == {"empty_clusters": 6.0}
    assert torch.isfinite(output.loss)


def test_few_pictures_make_few_clusters() -> None:
    method = _method(clusters=128)
    _cluster(method, lambda: _blobs()[:7])
    assert len(method.centers) + int(method.empty) == 3


def test_clustering_again_from_the_same_weights_gives_the_same_bits() -> None:
    first, second = _method(), _method()
    second.load_state_dict(first.state_dict())
    for method in (first, second):
        _cluster(method, lambda: torch.rand(300, 32, generator=torch.Generator().manual_seed(0)), epoch=3)
    assert torch.equal(first.assignment, second.assignment)
    assert torch.equal(first.centers, second.centers)
    assert first.head.training
