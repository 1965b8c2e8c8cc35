"""Whole views: reproducible, independent of the batch, and nothing but normalized when all is off."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from components.modalities.image import augment as module
from components.modalities.image.augment import Augment
from components.modalities.image.policy import Policy, RandAugment

MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.3, 0.25]
COLOR = Policy(
    crop=(0.2, 1.0), flip=0.5, brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, grayscale=0.2, blur=0.5
)
TURNED = Policy(crop=(0.5, 1.0), rotate=20, translate=0.1, blur=0.5, cutout=0.3)
STRONG = Policy(rand_augment=RandAugment(operations=3, magnitude=1.0), cutout=0.5, cutout_probability=0.5)
POLICIES = pytest.mark.parametrize("policy", [COLOR, TURNED, STRONG], ids=["color", "turned", "strong"])


@pytest.fixture
def pictures() -> Tensor:
    return torch.randint(0, 256, (12, 3, 16, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def deterministic() -> Iterator[None]:
    """Views must be made by deterministic algorithms alone: anything else raises."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(before)


@pytest.mark.parametrize("channels", [1, 3])
def test_with_everything_off_a_view_is_the_normalized_picture(pictures: Tensor, channels: int) -> None:
    some = pictures[:, :channels]
    view = Augment(Policy(), MEAN[:channels], STD[:channels])(some, np.arange(12), 0)
    mean, std = (torch.tensor(values[:channels])[:, None, None] for values in (MEAN, STD))
    torch.testing.assert_close(view, (some / 255 - mean) / std, atol=1e-4, rtol=0)
    assert view.dtype == torch.float32


@POLICIES
def test_a_view_does_not_depend_on_the_rest_of_the_batch(pictures: Tensor, policy: Policy) -> None:
    augment, keys = Augment(policy, MEAN, STD), np.arange(100, 112)
    together = augment(pictures, keys, 7)
    order = np.array([5, 0, 11])
    torch.testing.assert_close(augment(pictures[order], keys[order], 7), together[order], atol=2e-4, rtol=0)
    torch.testing.assert_close(augment(pictures[3:4], keys[3:4], 7), together[3:4], atol=2e-4, rtol=0)


@POLICIES
def test_the_size_of_the_parts_does_not_show(pictures: Tensor, policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    augment, keys = Augment(policy, MEAN, STD), np.arange(12)
    whole = augment(pictures, keys, 7)
    monkeypatch.setattr(module, "CACHED_VALUES", 5 * pictures[0].numel())
    torch.testing.assert_close(augment(pictures, keys, 7), whole, atol=2e-4, rtol=0)


@POLICIES
def test_equal_seeds_give_equal_bits_and_other_seeds_other_views(pictures: Tensor, policy: Policy) -> None:
    augment, keys = Augment(policy, MEAN, STD), np.arange(12)
    assert torch.equal(augment(pictures, keys, 7), augment(pictures, keys, 7))
    assert not torch.allclose(augment(pictures, keys, 7), augment(pictures, keys, 8), atol=0.1)


def test_the_pictures_are_left_as_they_were(pictures: Tensor) -> None:
    before = pictures.clone()
    Augment(STRONG, MEAN, STD)(pictures, np.arange(12), 0)
    assert torch.equal(pictures, before)


def test_color_settings_are_allowed_on_gray_pictures(pictures: Tensor) -> None:
    view = Augment(COLOR, [0.5], [0.25])(pictures[:, :1], np.arange(12), 0)
    assert view.shape == (12, 1, 16, 20)
    assert view.isfinite().all()


def test_cutout_shows_the_mean_color(pictures: Tensor) -> None:
    view = Augment(Policy(cutout=0.5), MEAN, STD)(pictures, np.arange(12), 0)
    hidden = (view == 0).all(1).flatten(1).float().mean(1)
    assert (hidden > 0.05).all()  # at least a quarter of the square, when its center is in a corner
    assert (hidden <= 0.26).all()


def test_no_pictures_make_no_views(pictures: Tensor) -> None:
    assert Augment(COLOR, MEAN, STD)(pictures[:0], np.arange(0), 0).shape == (0, 3, 16, 20)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@POLICIES
def test_a_view_made_on_the_device_is_the_one_made_here(pictures: Tensor, policy: Policy) -> None:
    augment, keys = Augment(policy, MEAN, STD), np.arange(12)
    there = augment(pictures.cuda(), keys, 7)
    assert there.is_cuda
    torch.testing.assert_close(there.cpu(), augment(pictures, keys, 7), atol=2e-3, rtol=0)
