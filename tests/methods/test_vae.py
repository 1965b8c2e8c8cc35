"""The two terms of the VAE's bound by hand, beside torch's distributions and beside the likelihood they bound."""

import math

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal
from torch.distributions import kl_divergence as reference

from components.methods.contracts import Batch
from components.methods.self_supervised.vae import VAE, kl_divergence, negative_log_likelihood
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given


def _method(**options: float) -> VAE:
    torch.manual_seed(0)
    config = VAE.Config.model_validate({"width": 8, "latent": 4, **options})
    return VAE(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), config)


def _normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_terms_have_the_values_by_hand() -> None:
    mean, log_variance = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, math.log(2.0)]])
    assert kl_divergence(mean, log_variance).item() == pytest.approx(0.5 + (2 - 1 - math.log(2)) / 2)
    decoded, pictures = torch.zeros(1, 1, 1, 2), torch.tensor([[[[1.0, 0.0]]]])
    expected = 0.5 * (1 / 0.5) ** 2 + math.log(2 * math.pi * 0.25)  # the constant of two pixels, halved
    assert negative_log_likelihood(decoded, pictures, 0.5).item() == pytest.approx(expected)


def test_the_terms_are_those_of_torchs_distributions() -> None:
    mean, log_variance = _normal(8, 5), _normal(8, 5, seed=1)
    cloud, prior = Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros_like(mean), torch.ones_like(mean))
    torch.testing.assert_close(kl_divergence(mean, log_variance), reference(cloud, prior).sum(1).mean())
    decoded, pictures = _normal(8, 3, 4, 4), _normal(8, 3, 4, 4, seed=1)
    likelihood = Independent(Normal(decoded, torch.tensor(0.3, dtype=torch.float64)), 3).log_prob(pictures)
    torch.testing.assert_close(negative_log_likelihood(decoded, pictures, 0.3), -likelihood.mean())


def test_only_the_prior_itself_costs_nothing() -> None:
    nothing = torch.zeros(4, 6)
    assert kl_divergence(nothing, nothing).item() == 0
    assert kl_divergence(nothing + 0.1, nothing).item() > 0
    assert kl_divergence(nothing, nothing - 0.1).item() > 0


def test_with_the_exact_posterior_the_bound_is_the_likelihood() -> None:
    """A linear decoder of one number: its posterior is normal, so the bound of the paper's equation 3 is tight."""
    weight, noise = torch.tensor([0.7, -1.2, 0.4], dtype=torch.float64), 0.6
    picture = _normal(1, 1, 1, 3)
    variance = 1 / (1 + weight.square().sum() / noise**2)
    mean = variance * (picture.flatten() @ weight) / noise**2
    draws = mean + variance.sqrt() * _normal(200_000, 1)
    decoded = (draws * weight).view(-1, 1, 1, 3)
    negative = negative_log_likelihood(decoded, picture.expand_as(decoded), noise)
    bound = -negative - kl_divergence(mean.view(1, 1), variance.log().view(1, 1))
    covariance = torch.outer(weight, weight) + noise**2 * torch.eye(3, dtype=torch.float64)
    exact = MultivariateNormal(torch.zeros(3, dtype=torch.float64), covariance).log_prob(picture.flatten())
    assert bound.item() == pytest.approx(exact.item(), abs=0.01)


def test_a_step_reports_its_terms_weighs_the_second_and_reaches_everything() -> None:
    method, pictures = _method(beta=3), torch.rand(8, 1, 16, 16)
    output = method.training_step(Batch([pictures]))
    output.loss.backward()
    figures = {name: float(value) for name, value in output.metrics.items()}
    assert output.loss.item() == pytest.approx(figures["reconstruction"] + 3 * figures["kl"], rel=1e-5)
    for name, parameter in method.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    assert method.log_variance.weight.grad is not None
    assert method.log_variance.weight.grad.abs().sum() > 0


def test_the_code_is_drawn_about_its_mean_by_its_own_deviation() -> None:
    method, pictures = _method(), torch.rand(8, 1, 16, 16)
    with torch.no_grad():
        method.log_variance.weight.zero_()
        method.log_variance.bias.fill_(-60.0)  # a cloud of no width: two draws are one
        losses = [method.training_step(Batch([pictures], generator=torch.Generator().manual_seed(s))) for s in (0, 1)]
        first, second = (float(output.metrics["reconstruction"]) for output in losses)
        assert first == pytest.approx(second, rel=1e-6)
        method.log_variance.bias.fill_(2.0)
        losses = [method.training_step(Batch([pictures], generator=torch.Generator().manual_seed(s))) for s in (0, 1)]
        first, second = (float(output.metrics["reconstruction"]) for output in losses)
        assert first != pytest.approx(second, rel=1e-6)


def test_it_shows_originals_reconstructions_and_samples() -> None:
    method, pictures = _method().eval(), torch.rand(5, 1, 16, 16)
    with torch.no_grad():
        shown = method.show(pictures, torch.Generator().manual_seed(0))
        again = method.show(pictures, torch.Generator().manual_seed(1))
    assert list(shown) == ["originals", "reconstructions", "samples"]
    assert all(value.shape == pictures.shape for value in shown.values())
    torch.testing.assert_close(shown["reconstructions"], again["reconstructions"])
    assert not torch.allclose(shown["samples"], again["samples"])
