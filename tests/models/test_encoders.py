"""What each encoder promises beyond the contract of all."""

import math

import pytest
import torch

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.core.plugins import build
from components.models.encoders import Encoder
from components.models.encoders.small_resnet import SmallResnet
from components.models.encoders.vit_small import VitSmall
from components.models.transformer_block import sine_positions
from tests.pictures import given


def _encoder(name: str, size: int, **options: object) -> Encoder:
    encoder: Encoder = build("encoder", PluginChoice(name=name, **options), given(1, size), where="encoder")
    return encoder


def test_the_small_resnet_widens_and_deepens_as_told() -> None:
    plain, wide = _encoder("small_resnet", 32), _encoder("small_resnet", 32, width=48)
    deep = _encoder("small_resnet", 32, blocks=[1, 2, 1])
    assert (plain.dim, wide.dim, deep.dim) == (128, 192, 128)
    assert len(list(deep.parameters())) > len(list(plain.parameters()))


@pytest.mark.parametrize("size", [8, 28, 33])
def test_the_small_resnet_takes_any_size(size: int) -> None:
    encoder = SmallResnet(given(3, size), SmallResnet.Config(width=8)).eval()
    assert encoder(torch.rand(2, 3, size, size)).shape == (2, 32)


def test_the_small_resnet_whitens_what_it_learned_and_puts_the_pictures_components_beside_it() -> None:
    pictures = torch.rand(200, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    encoder = SmallResnet(given(1, 28), SmallResnet.Config(width=8, whiten=True, pixels=5)).eval()
    with torch.no_grad():
        before = encoder(pictures)
        encoder.measure(pictures.split(64))
        after = encoder(pictures)
    assert before.shape == after.shape == (200, encoder.dim) == (200, 37)
    assert not before[:, 32:].any()
    for part in (after[:, :32], after[:, 32:]):  # neither part is louder
        torch.testing.assert_close(part.norm(dim=1), torch.full((200,), 32**0.5))
    ranks = [torch.linalg.svdvals(part[:, :32] - part[:, :32].mean(0)) for part in (before, after)]
    assert ranks[1][4] / ranks[1][0] > 2 * ranks[0][4] / ranks[0][0]


def test_components_that_nothing_whitens_are_refused() -> None:
    with pytest.raises(WinnowError, match="pixels is not used, since whiten is false"):
        _encoder("small_resnet", 32, pixels=8)


def test_an_encoder_that_whitens_nothing_looks_at_no_sample() -> None:
    _encoder("small_resnet", 32).measure(iter(lambda: pytest.fail("looked at"), None))


@pytest.mark.parametrize(("name", "dim"), [("resnet18", 512), ("resnet50", 2048)])
def test_a_resnet_keeps_every_place_of_a_small_picture_and_pools_a_large_one(name: str, dim: int) -> None:
    small, large = _encoder(name, 32), _encoder(name, 64)
    assert small.dim == large.dim == dim
    assert small.stem(torch.rand(1, 1, 32, 32)).shape[2:] == (32, 32)
    assert large.stem(torch.rand(1, 1, 64, 64)).shape[2:] == (16, 16)


def test_patches_that_do_not_fit_are_refused() -> None:
    with pytest.raises(WinnowError, match="cannot cut pictures of 32 pixels into patches of 5"):
        _encoder("vit_small", 32, patch=5)


def test_a_transformer_sees_where_a_patch_is() -> None:
    encoder = VitSmall(given(1, 16), VitSmall.Config(patch=4, width=24, depth=1, heads=2)).eval()
    picture = torch.zeros(1, 1, 16, 16)
    picture[..., :4, :4] = 1
    assert not torch.allclose(encoder(picture), encoder(picture.roll(8, 3)), atol=1e-4)


def test_a_transformer_takes_smaller_pictures_too_and_spreads_their_patches_over_the_same_span() -> None:
    encoder = VitSmall(given(1, 16), VitSmall.Config(patch=4, width=24, depth=1, heads=2)).eval()
    assert encoder(torch.rand(2, 1, 8, 8)).shape == (2, 24)
    assert encoder(torch.rand(2, 1, 11, 11)).shape == (2, 24)
    whole = sine_positions(4, 24)
    assert torch.equal(whole, encoder.positions)
    angles = torch.arange(4)[:, None] * torch.exp(torch.arange(6) * (-math.log(10_000) / 6))
    torch.testing.assert_close(
        whole.view(4, 4, 24)[:, 0, :6], angles.sin()
    )  # whole places, as Vaswani et al. have them
    half = sine_positions(2, 24, span=4).view(2, 2, 24)  # at places 1/2 and 5/2
    torch.testing.assert_close(half[:, 0, 0], torch.tensor([0.5, 2.5]).sin())
    torch.testing.assert_close(half[0, :, 12], torch.tensor([0.5, 2.5]).sin())


def test_a_picture_smaller_than_a_patch_is_refused() -> None:
    encoder = VitSmall(given(1, 32), VitSmall.Config(patch=16, width=24, depth=1, heads=2))
    with pytest.raises(WinnowError, match="pictures of 8 pixels hold no patch of 16"):
        encoder(torch.rand(2, 1, 8, 8))
