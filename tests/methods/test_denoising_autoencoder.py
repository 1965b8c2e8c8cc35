"""The damage and the loss of the denoising autoencoder, by hand and by what they leave alone."""

import pytest
import torch

from components.methods.contracts import Batch
from components.methods.self_supervised.denoising_autoencoder import DenoisingAutoencoder, corrupted, squared_error
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given


def _method(**options: float) -> DenoisingAutoencoder:
    torch.manual_seed(0)
    config = DenoisingAutoencoder.Config.model_validate({"width": 8, **options})
    return DenoisingAutoencoder(SmallResnet(given(3, 16), SmallResnet.Config(width=8)), config)


def _batch(pictures: torch.Tensor) -> Batch:
    return Batch([pictures], generator=torch.Generator().manual_seed(0))


def test_the_damage_has_the_values_by_hand() -> None:
    pictures, noise = torch.tensor([[[[1.0, 2.0]]]]), torch.tensor([[[[10.0, -10.0]]]])
    lottery = torch.tensor([[[[0.2, 0.3]]]])
    damaged = corrupted(pictures, noise, lottery, gaussian=0.1, masking=0.25)
    torch.testing.assert_close(damaged, torch.tensor([[[[0.0, 1.0]]]]))


def test_the_loss_is_the_mean_of_squares_by_hand_and_its_gradient_finite() -> None:
    decoded = torch.tensor([[[[1.0, 2.0]]], [[[0.0, 0.0]]]], requires_grad=True)
    loss = squared_error(decoded, torch.tensor([[[[1.0, 0.0]]], [[[0.0, 2.0]]]]))
    loss.backward()
    assert loss.item() == pytest.approx(2.0)
    torch.testing.assert_close(decoded.grad, torch.tensor([[[[0.0, 1.0]]], [[[0.0, -1.0]]]]))


def test_a_hidden_pixel_is_hidden_in_all_channels_and_as_many_as_asked_for() -> None:
    pictures = torch.rand(64, 3, 16, 16) + 1
    shown = _method(masking=0.4, gaussian=0).show(pictures, torch.Generator().manual_seed(0))
    hidden = shown["corrupted"] == 0
    assert (hidden.all(1) == hidden.any(1)).all()
    assert hidden.float().mean().item() == pytest.approx(0.4, abs=0.02)
    torch.testing.assert_close(shown["corrupted"][~hidden], pictures[~hidden])


def test_the_noise_has_the_deviation_asked_for() -> None:
    pictures = torch.rand(64, 3, 16, 16)
    shown = _method(masking=0, gaussian=0.3).show(pictures, torch.Generator().manual_seed(0))
    assert (shown["corrupted"] - pictures).std().item() == pytest.approx(0.3, abs=0.01)


def test_without_damage_it_is_the_plain_autoencoder() -> None:
    method, pictures = _method(masking=0, gaussian=0), torch.rand(8, 3, 16, 16)
    plain = (method.decoder(method.encoder(pictures)) - pictures).square().mean()
    torch.testing.assert_close(method.training_step(_batch(pictures)).loss, plain)


def test_what_it_must_give_back_is_the_undamaged_picture() -> None:
    method, pictures = _method(masking=0.5), torch.rand(8, 3, 16, 16)
    damaged = method._damaged(_batch(pictures))
    expected = (method.decoder(method.encoder(damaged)) - pictures).square().mean()
    torch.testing.assert_close(method.training_step(_batch(pictures)).loss, expected)
