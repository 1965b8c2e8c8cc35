"""Color operations against torchvision's, alone and together."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as reference

from components.modalities.image.color import Colors
from components.modalities.image.recipe import Recipe

MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.3, 0.25]


@pytest.fixture
def pictures() -> Tensor:
    """Colors away from black and white, so that nothing clips."""
    return torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 80 + 80


def colored(pictures: Tensor, recipe: Recipe) -> Tensor:
    """Colored and brought back from normalized values to 0 to 255."""
    channels = pictures.shape[1]
    out = torch.empty_like(pictures)
    Colors(recipe, MEAN[:channels], STD[:channels])(pictures, slice(0, len(pictures)), out=out)
    mean, std = (torch.tensor(values[:channels])[:, None, None] for values in (MEAN, STD))
    return (out * std + mean) * 255


@pytest.mark.parametrize("factor", [0.6, 1.3])
@pytest.mark.parametrize("operation", ["brightness", "contrast", "saturation"])
def test_each_operation_is_torchvisions(pictures: Tensor, operation: str, factor: float) -> None:
    recipe = Recipe.plain(4)
    setattr(recipe, operation, torch.tensor([factor, 1.0, factor, 1.0]))
    expected = getattr(reference, f"adjust_{operation}")(pictures / 255, factor) * 255
    expected[1::2] = pictures[1::2]
    torch.testing.assert_close(colored(pictures, recipe), expected, atol=0.02, rtol=0)


def test_no_saturation_is_torchvisions_grayscale(pictures: Tensor) -> None:
    recipe = Recipe.plain(4)
    recipe.saturation = torch.zeros(4)
    expected = reference.rgb_to_grayscale(pictures, num_output_channels=3)
    torch.testing.assert_close(colored(pictures, recipe), expected, atol=0.02, rtol=0)


@pytest.mark.parametrize("turns", [0.02, -0.02, 0.1])
def test_a_turn_of_hue_goes_torchvisions_way_about_as_far(pictures: Tensor, turns: float) -> None:
    recipe = Recipe.plain(4)
    recipe.hue = torch.full((4,), turns)
    ours = colored(pictures, recipe) - pictures
    theirs = reference.adjust_hue(pictures / 255, turns) * 255 - pictures
    assert torch.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.6  # a circle in YIQ, a hexagon in HSV
    assert 0.67 < ours.abs().mean() / theirs.abs().mean() < 1.5


def test_a_third_of_a_turn_makes_red_green_green_blue_and_blue_red() -> None:
    pure = torch.eye(3)[:, :, None, None] * 60 + 90
    recipe = Recipe.plain(3)
    recipe.hue = torch.full((3,), 1 / 3)
    expected = reference.adjust_hue(pure / 255, 1 / 3).argmax(1)
    assert torch.equal(colored(pure, recipe).argmax(1), expected)


def test_hue_keeps_the_luma_and_a_whole_turn_changes_nothing(pictures: Tensor) -> None:
    recipe = Recipe.plain(4)
    recipe.hue = torch.tensor([0.1, -0.1, 1.0, 0.0])
    result = colored(pictures, recipe)
    gray = reference.rgb_to_grayscale
    torch.testing.assert_close(gray(result), gray(pictures), atol=0.05, rtol=0)
    torch.testing.assert_close(result[2:], pictures[2:], atol=0.02, rtol=0)
    assert (result[:2] - pictures[:2]).abs().max() > 5


def test_all_operations_together_are_torchvisions_one_after_another(pictures: Tensor) -> None:
    recipe = Recipe.plain(4)
    recipe.brightness, recipe.contrast, recipe.saturation = (torch.full((4,), value) for value in (1.1, 0.7, 1.2))
    expected = reference.adjust_saturation(pictures / 255, 1.2)
    expected = reference.adjust_contrast(reference.adjust_brightness(expected, 1.1), 0.7) * 255
    torch.testing.assert_close(colored(pictures, recipe), expected, atol=0.02, rtol=0)


def test_values_are_clamped_to_what_a_picture_can_hold(pictures: Tensor) -> None:
    recipe = Recipe.plain(4)
    recipe.brightness, recipe.contrast = torch.full((4,), 1.5), torch.full((4,), 5.0)
    result = colored(pictures, recipe)
    assert result.min().item() == pytest.approx(0, abs=1e-3)
    assert result.max().item() == pytest.approx(255, abs=1e-3)


def test_gray_pictures_know_brightness_and_contrast_only(pictures: Tensor) -> None:
    gray = pictures[:, :1]
    recipe = Recipe.plain(4)
    recipe.saturation, recipe.hue = torch.zeros(4), torch.full((4,), 0.3)
    torch.testing.assert_close(colored(gray, recipe), gray, atol=0.02, rtol=0)
    recipe.contrast = torch.full((4,), 0.5)
    expected = gray * 0.5 + gray.mean((1, 2, 3), keepdim=True) * 0.5
    torch.testing.assert_close(colored(gray, recipe), expected, atol=0.02, rtol=0)
