"""Full fine-tuning: its loss by formula, mixup's limits, and slower rates for lower layers."""

import numpy as np
import pytest
import torch

from components.methods.adaptation.full import Full, soft_cross_entropy
from components.methods.contracts import Batch
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.1, 0.3]])
TARGETS = torch.tensor([[1.0, 0.0, 0.0], [0.2, 0.5, 0.3]])


def _full(**options: object) -> Full:
    torch.manual_seed(0)
    return Full(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), 3, Full.Config.model_validate(options))


def _batch() -> Batch:
    pictures = torch.randn(8, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    return Batch([pictures], torch.eye(3)[torch.arange(8) % 3], torch.linspace(0.2, 1, 8))


def test_loss_is_the_weighted_mean_of_the_formula() -> None:
    rows = -(TARGETS * LOGITS.log_softmax(1)).sum(1)
    expected = (1.0 * rows[0] + 0.25 * rows[1]) / 1.25
    torch.testing.assert_close(soft_cross_entropy(LOGITS, TARGETS, torch.tensor([1.0, 0.25])), expected)


def test_label_smoothing_spreads_its_share_over_all_classes() -> None:
    smooth = 0.9 * TARGETS + 0.1 / 3
    weights = torch.ones(2)
    torch.testing.assert_close(
        soft_cross_entropy(LOGITS, TARGETS, weights, 0.1), soft_cross_entropy(LOGITS, smooth, weights)
    )


def test_every_layer_gets_a_finite_gradient() -> None:
    method = _full(mixup=0.4, label_smoothing=0.1)
    method.training_step(_batch()).loss.backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in method.parameters())


def test_mixup_of_equal_pictures_and_targets_changes_nothing() -> None:
    batch = _batch()
    same = Batch([batch.views[0][:1].repeat(4, 1, 1, 1)], torch.eye(3)[[1, 1, 1, 1]], torch.ones(4))
    mixed, plain = (_full(mixup=mixup).eval().training_step(same).loss for mixup in (1.0, 0.0))
    torch.testing.assert_close(mixed, plain)


def test_mixed_targets_stay_distributions_and_keep_the_weight() -> None:
    method = _full(mixup=1.0)
    batch = _batch()
    assert batch.targets is not None
    assert batch.weights is not None
    _, targets, weights = method._mixed(batch.views[0], batch.targets, batch.weights)
    torch.testing.assert_close(targets.sum(1), torch.ones(8))
    torch.testing.assert_close(weights.sum(), batch.weights.sum())


def test_lower_layers_learn_more_slowly_and_all_of_them_learn() -> None:
    method = _full(layer_decay=0.5)
    groups = method.parameter_groups(0.1)
    assert [group["lr"] for group in groups] == [pytest.approx(0.1 * 0.5**depth) for depth in range(5)]  # head, 3, stem
    assert groups[-1]["params"][0] is next(method.encoder.parameters())
    assert sum(len(group["params"]) for group in groups) == len(list(method.parameters()))


def test_the_head_starts_where_the_probe_ends() -> None:
    method = _full()
    pool = np.random.default_rng(0).normal(size=(40, 32)).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[pool[:, :3].argmax(axis=1)]
    method.fit_head(pool, np.arange(40), targets, np.ones(40, np.float32))
    said = method.head(torch.from_numpy(pool)).argmax(1).numpy()
    assert (said == targets.argmax(axis=1)).mean() > 0.9


def test_the_view_is_a_setting() -> None:
    assert _full().views == ("weak",)
    assert _full(view="strong").views == ("strong",)


def test_dropout_is_of_training_alone() -> None:
    def loss(method: Full) -> torch.Tensor:
        torch.manual_seed(3)
        return method.training_step(_batch()).loss

    dropped, plain = _full(dropout=0.5), _full()
    assert dropped.dropout == 0.5
    assert not torch.allclose(loss(dropped.train()), loss(plain.train()))
    torch.testing.assert_close(loss(dropped.eval()), loss(plain.eval()))
