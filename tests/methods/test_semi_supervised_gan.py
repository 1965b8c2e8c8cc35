"""The semi-supervised GAN: K logits are K + 1 classes, each player has its own loss, and it has its limits."""

import pytest
import torch
from mixed import ROWS, batch, network, supervised

from components.methods.labeled_loss import labeled_loss
from components.methods.semi_supervised.semi_supervised_gan import (
    SemiSupervisedGAN,
    feature_matching,
    log_made,
    log_real,
)


def _method(**options: float) -> SemiSupervisedGAN:
    method = network("semi_supervised_gan", **{"width": 8, "latent": 4, **options})
    assert isinstance(method, SemiSupervisedGAN)
    return method


def _logits(rows: int = 6) -> torch.Tensor:
    return 3 * torch.randn(rows, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_k_logits_are_a_softmax_of_one_class_more_whose_logit_is_0() -> None:
    logits = _logits()
    probabilities = torch.cat([logits, torch.zeros(len(logits), 1)], 1).softmax(1)
    torch.testing.assert_close(log_made(logits).exp(), probabilities[:, -1])
    torch.testing.assert_close(log_real(logits).exp(), probabilities[:, :-1].sum(1))
    total = logits.exp().sum(1)
    torch.testing.assert_close(log_real(logits).exp(), total / (total + 1))


def test_verdicts_that_are_sure_and_wrong_have_finite_losses_and_gradients() -> None:
    sure = torch.tensor([[-1e4, -2e4], [1e4, 0.0]], requires_grad=True)
    loss = -(log_real(sure) + log_made(sure)).sum()
    loss.backward()
    assert loss.isfinite()
    assert sure.grad is not None
    assert sure.grad.isfinite().all()


def test_feature_matching_is_the_squared_distance_of_means_and_moves_made_ones_only() -> None:
    real = torch.tensor([[1.0, 0.0], [3.0, 0.0]], requires_grad=True)
    made = torch.tensor([[0.0, 1.0], [0.0, 3.0]], requires_grad=True)
    loss = feature_matching(real, made)
    assert loss.item() == pytest.approx(2**2 + 2**2)
    loss.backward()
    assert real.grad is None
    assert made.grad is not None
    torch.testing.assert_close(made.grad, torch.tensor([[-2.0, 2.0], [-2.0, 2.0]]))


def _gradients(method: SemiSupervisedGAN, part: str) -> dict[str, torch.Tensor]:
    found = {}
    for name, parameter in method.named_parameters():
        if name.startswith(part):
            assert parameter.grad is not None, name
            found[name] = parameter.grad
    return found


def test_the_generator_learns_by_feature_matching_alone_whatever_the_classifiers_loss() -> None:
    weighed, unweighed = _method(weight=4.0), _method(weight=0.0)
    for method in (weighed, unweighed):
        method.training_step(batch(method)).loss.backward()
    same = _gradients(unweighed, "generator")
    for name, gradient in _gradients(weighed, "generator").items():
        torch.testing.assert_close(gradient, same[name])
    assert sum(float(gradient.abs().sum()) for gradient in same.values()) > 0


def test_feature_matching_never_reaches_the_classifier() -> None:
    method, plain = (_method(weight=0.0, noise=0.0) for _ in range(2))
    method.training_step(batch(method)).loss.backward()
    given = batch(plain)
    labeled_loss(plain.logits(given.views[0]), given).backward()
    for part in ("encoder", "head"):
        mine = _gradients(method, part)
        for name, gradient in _gradients(plain, part).items():
            torch.testing.assert_close(mine[name], gradient)


def test_without_unlabeled_pictures_only_labels_and_made_ones_are_learned_from() -> None:
    method = _method(noise=0.0)
    given = batch(method, labeled=ROWS)
    output = method.training_step(given)
    code = torch.randn(ROWS, 4, generator=torch.Generator().manual_seed(1)).double()
    made = method.generator(code)
    told = -log_made(method.logits(made)).mean()
    matching = feature_matching(method.encoder(given.views[0]), method.encoder(made))
    assert given.targets is not None
    labeled = torch.nn.functional.cross_entropy(method.logits(given.views[0]), given.targets)
    assert output.loss.item() == pytest.approx((labeled + told + matching).item(), rel=1e-6)


def test_of_weight_0_it_is_supervised_learning_but_for_the_generator() -> None:
    method = _method(weight=0.0, noise=0.0)
    given = batch(method)
    output = method.training_step(given)
    rest = output.loss.item() - float(output.metrics["matching"])
    assert rest == pytest.approx(supervised(method, given), rel=1e-6)


def test_running_statistics_are_those_of_real_pictures_alone() -> None:
    method, other = _method(noise=0.0).train(), _method(noise=0.0).train()
    given = batch(method)
    method.training_step(given)
    other.encoder(given.views[0])
    for (name, ours), theirs in zip(method.encoder.named_buffers(), other.encoder.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs, msg=name)
