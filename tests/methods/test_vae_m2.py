"""M2's bound by brute force, its divergence beside torch's, and its limits: every label known, and one class only."""

import math

import pytest
import torch
from mixed import CLASSES, LABELED, ROWS, batch, network, supervised
from torch.distributions import Categorical, Normal
from torch.distributions import kl_divergence as reference

from components.methods.semi_supervised.vae_m2 import VAEM2, marginal_bounds
from components.methods.variational_bound import kl_divergences, negative_log_likelihoods


def _method(**options: float) -> VAEM2:
    method = network("vae_m2", **{"hidden": 16, "latent": 4, **options})
    assert isinstance(method, VAEM2)
    return method


def _normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_terms_are_those_of_torchs_distributions() -> None:
    mean, log_variance = _normal(3, 2, 5), _normal(3, 2, 5, seed=1)
    cloud, prior = Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros_like(mean), torch.ones_like(mean))
    torch.testing.assert_close(kl_divergences(mean, log_variance), reference(cloud, prior).sum(-1))
    decoded, pixels = _normal(3, 2, 7), _normal(3, 1, 7, seed=1)
    expected = -Normal(decoded, torch.tensor(0.3, dtype=torch.float64)).log_prob(pixels).sum(-1)
    torch.testing.assert_close(negative_log_likelihoods(decoded, pixels, 0.3), expected)


def test_the_marginal_bound_is_the_sum_over_classes_less_the_entropy() -> None:
    bounds, guesses = _normal(6, CLASSES), _normal(6, CLASSES, seed=1).softmax(1)
    for row, value in enumerate(marginal_bounds(bounds, guesses)):
        by_hand = sum(float(guesses[row, y]) * float(bounds[row, y]) for y in range(CLASSES))
        entropy = float(Categorical(probs=guesses[row]).entropy())
        assert value.item() == pytest.approx(by_hand - entropy)


def test_no_guess_has_a_lower_bound_than_the_posterior_of_the_bounds() -> None:
    """Where it is `-log sum_y exp(-L)`: the marginal likelihood."""
    bounds = _normal(5, CLASSES)
    best = marginal_bounds(bounds, (-bounds).softmax(1))
    torch.testing.assert_close(best, -torch.logsumexp(-bounds, 1))
    assert (marginal_bounds(bounds, _normal(5, CLASSES, seed=2).softmax(1)) > best).all()


def test_of_a_certain_class_the_marginal_bound_is_that_classs_and_the_gradient_stays_finite() -> None:
    bounds, certain = _normal(CLASSES, CLASSES), torch.eye(CLASSES, dtype=torch.float64, requires_grad=True)
    value = marginal_bounds(bounds, certain)
    torch.testing.assert_close(value, bounds.diagonal())
    logits = torch.tensor([[200.0, 0.0, -200.0]], requires_grad=True)
    marginal_bounds(torch.ones(1, CLASSES), logits.softmax(1)).sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_the_bounds_of_all_classes_are_those_of_each_alone() -> None:
    method, given = _method(noise=0.7), batch(_method())
    vectors, noise = method.encoder(given.views[0]), _normal(ROWS, 4)
    bounds = method.bounds(vectors, given.views[0], noise)
    for number in range(CLASSES):
        label = torch.eye(CLASSES, dtype=torch.float64)[number].expand(ROWS, -1)
        mean, log_variance = method.posterior(torch.cat([vectors, label], 1)).chunk(2, 1)
        decoded = method.decoder(torch.cat([mean + (log_variance / 2).exp() * noise, label], 1))
        lost = -Normal(decoded, 0.7).log_prob(given.views[0].flatten(1)).sum(1)
        cloud = Normal(mean, (log_variance / 2).exp())
        costs = reference(cloud, Normal(torch.zeros_like(mean), torch.ones_like(mean))).sum(1)
        torch.testing.assert_close(bounds[:, number], lost + costs + math.log(CLASSES))


def test_where_every_row_is_labeled_the_loss_is_the_labeled_bound_and_cross_entropy() -> None:
    method = _method(weight=3.0)
    given = batch(method, labeled=ROWS)
    output = method.training_step(given)
    noise = torch.randn(ROWS, 4, generator=torch.Generator().manual_seed(1))  # as the step drew it
    bounds = method.bounds(method.encoder(given.views[0]), given.views[0], noise)
    assert given.targets is not None
    bound = bounds.gather(1, given.targets.argmax(1)[:, None]).mean().item()
    logits = method.logits(given.views[0])
    entropy = torch.nn.functional.cross_entropy(logits, given.targets).item()
    assert output.loss.item() == pytest.approx(entropy + 3 * bound, rel=1e-6)


def test_of_weight_0_it_is_supervised_learning() -> None:
    method = _method(weight=0.0)
    given = batch(method, LABELED)
    assert method.training_step(given).loss.item() == pytest.approx(supervised(method, given), rel=1e-6)
