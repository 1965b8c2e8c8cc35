"""The GAN's two losses by formula, and that each player learns from its own alone, from real pictures' statistics."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from components.methods.contracts import Batch
from components.methods.self_supervised.gan import BETAS, GAN, discriminator_loss, generator_loss
from components.models.encoders.small_resnet import SmallResnet
from components.training.optimizers import build_optimizer
from tests.pictures import given


def _method(**options: float) -> GAN:
    torch.manual_seed(0)
    config = GAN.Config.model_validate({"width": 8, "latent": 4, **options})
    return GAN(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), config).double()


def _batch(seed: int = 0) -> Batch:
    pictures = torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return Batch([pictures], generator=torch.Generator().manual_seed(seed))


def _logits(seed: int) -> Tensor:
    return torch.randn(16, 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_discriminator_that_knows_nothing_pays_log_4_and_the_generator_log_2() -> None:
    nothing = torch.zeros(4, 1)
    assert discriminator_loss(nothing, nothing, 0.0).item() == pytest.approx(math.log(4))
    assert generator_loss(nothing).item() == pytest.approx(math.log(2))


def test_the_losses_are_the_papers_equations() -> None:
    real, made = _logits(0), _logits(1)
    value = real.sigmoid().log().mean() + (1 - made.sigmoid()).log().mean()
    torch.testing.assert_close(discriminator_loss(real, made, 0.0), -value)
    torch.testing.assert_close(generator_loss(made), -made.sigmoid().log().mean())


def test_with_smoothing_the_best_verdict_on_a_real_picture_is_not_certainty() -> None:
    logits = torch.linspace(-6, 6, 2401, dtype=torch.float64)
    losses = torch.stack([discriminator_loss(logit.view(1, 1), torch.zeros(1, 1), 0.1) for logit in logits])
    assert logits[losses.argmin()].sigmoid().item() == pytest.approx(0.9, abs=1e-3)


def test_losses_and_gradients_stay_finite_for_verdicts_that_are_sure_and_wrong() -> None:
    real, made = torch.full((2, 1), -1e4, requires_grad=True), torch.full((2, 1), 1e4, requires_grad=True)
    loss = discriminator_loss(real, made, 0.1) + generator_loss(-made)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(real.grad).all()
    assert torch.isfinite(made.grad).all()


def _players(method: GAN) -> tuple[Tensor, Tensor]:
    """Both losses of the same batch as plain code makes them: three passes through the discriminator."""
    batch = _batch()
    pictures = batch.views[0]
    code = torch.randn(8, 4, generator=batch.generator).double()
    noises = [torch.randn(8, 1, 16, 16, generator=batch.generator).double() * method.config.noise for _ in range(2)]
    made = method.generator(code) + noises[0]
    real = method.verdict(method.encoder(pictures + noises[1]))
    judged, playing = (method.verdict(method.encoder(picture)) for picture in (made.detach(), made))
    labels = torch.full_like(real, 1 - method.config.smoothing)
    discriminator = F.binary_cross_entropy_with_logits(real, labels) + F.softplus(judged).mean()
    return discriminator, F.softplus(-playing).mean()


def test_each_player_gets_the_gradient_of_its_own_loss_and_no_other() -> None:
    method = _method()
    method.training_step(_batch()).loss.backward()
    mine = {name: parameter.grad for name, parameter in method.named_parameters()}
    same = _method()
    discriminator, generator = _players(same)
    own = dict(same.named_parameters())
    for loss, makes in ((discriminator, False), (generator, True)):
        names = [name for name in own if name.startswith("generator.") == makes]
        expected = torch.autograd.grad(loss, [own[name] for name in names], retain_graph=True)
        for name, gradient in zip(names, expected, strict=True):
            torch.testing.assert_close(mine[name], gradient)
            assert gradient.abs().sum() > 0


def test_running_statistics_are_those_of_real_pictures_alone() -> None:
    method, other = _method(noise=0), _method(noise=0)
    method.training_step(_batch())
    other.encoder(_batch().views[0])
    ours, theirs = dict(method.encoder.named_buffers()), dict(other.encoder.named_buffers())
    assert any("running_mean" in name for name in ours)
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name])


def test_it_asks_for_dcgans_betas_and_shows_other_samples_for_other_numbers() -> None:
    method, pictures = _method().eval(), _batch().views[0]
    optimizer, _ = build_optimizer(method, "adamw", learning_rate=0.1, weight_decay=0.0)
    assert {group["betas"] for group in optimizer.param_groups} == {BETAS}
    with torch.no_grad():
        one, other = (method.show(pictures, torch.Generator().manual_seed(seed))["samples"] for seed in (0, 1))
    assert one.shape == pictures.shape
    assert not torch.allclose(one, other)
