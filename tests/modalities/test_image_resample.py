"""Geometry against torchvision's operators, and its limit cases."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as reference

from components.modalities.image.geometry import Geometry, cut_out
from components.modalities.image.recipe import Recipe
from components.modalities.image.resample import blur_taps, blur_weights


@pytest.fixture
def pictures() -> Tensor:
    return torch.rand(3, 3, 24, 32, generator=torch.Generator().manual_seed(0)) * 255


def moved(pictures: Tensor, recipe: Recipe, *, turns: bool = False) -> Tensor:
    batch, _, height, width = pictures.shape
    spare = torch.empty(2, *pictures.shape)
    geometry = Geometry(recipe, height, width, turns=turns)
    return geometry(pictures, slice(0, batch), scratch=spare[0], out=spare[1])


def filled(value: float, pictures: Tensor) -> Tensor:
    return torch.full((len(pictures),), value)


@pytest.mark.parametrize("turns", [False, True])
def test_the_plain_recipe_moves_nothing(pictures: Tensor, turns: bool) -> None:
    torch.testing.assert_close(moved(pictures, Recipe.plain(3), turns=turns), pictures, atol=1e-2, rtol=1e-4)


@pytest.mark.parametrize("turns", [False, True])
def test_flips_are_torchvisions(pictures: Tensor, turns: bool) -> None:
    recipe = Recipe.plain(3)
    recipe.flip_x = torch.tensor([-1.0, 1.0, -1.0])
    recipe.flip_y = torch.tensor([1.0, -1.0, -1.0])
    expected = [reference.horizontal_flip(pictures[0]), reference.vertical_flip(pictures[1])]
    expected.append(reference.vertical_flip(reference.horizontal_flip(pictures[2])))
    torch.testing.assert_close(moved(pictures, recipe, turns=turns), torch.stack(expected), atol=1e-2, rtol=1e-4)


@pytest.mark.parametrize("turns", [False, True])
def test_a_crop_is_torchvisions_resized_crop(pictures: Tensor, turns: bool) -> None:
    top, left, height, width = 4, 6, 12, 20
    expected = reference.resized_crop(pictures, top, left, height, width, [24, 32], antialias=True)
    recipe = Recipe.plain(3)
    recipe.center_x, recipe.center_y = (
        filled((left + width / 2) / 32, pictures),
        filled((top + height / 2) / 24, pictures),
    )
    recipe.width, recipe.height = filled(width / 32, pictures), filled(height / 24, pictures)
    inner = (..., slice(1, -1), slice(1, -1))  # at its edge torchvision does not see beyond the crop, a view does
    torch.testing.assert_close(moved(pictures, recipe, turns=turns)[inner], expected[inner], atol=1e-2, rtol=1e-4)


def test_a_crop_in_a_corner_reaches_its_edges(pictures: Tensor) -> None:
    recipe = Recipe.plain(3)
    recipe.width = recipe.height = filled(0.5, pictures)
    recipe.center_x = recipe.center_y = filled(0.25, pictures)
    expected = reference.resized_crop(pictures, 0, 0, 12, 16, [24, 32], antialias=True)
    torch.testing.assert_close(moved(pictures, recipe)[..., :-1, :-1], expected[..., :-1, :-1], atol=1e-2, rtol=1e-4)


@pytest.mark.parametrize("angle", [10.0, -37.0, 90.0])
def test_a_turn_is_torchvisions_rotate(pictures: Tensor, angle: float) -> None:
    recipe = Recipe.plain(3)
    recipe.angle = filled(angle, pictures)
    expected = reference.rotate(pictures, angle, interpolation=InterpolationMode.BILINEAR)
    torch.testing.assert_close(moved(pictures, recipe, turns=True), expected, atol=0.05, rtol=1e-3)


@pytest.mark.parametrize("turns", [False, True])
def test_a_shift_by_whole_pixels_moves_them_and_leaves_black(pictures: Tensor, turns: bool) -> None:
    recipe = Recipe.plain(3)
    recipe.center_x = filled(0.5 + 5 / 32, pictures)
    expected = torch.zeros_like(pictures)
    expected[..., :-5] = pictures[..., 5:]
    inner = (..., slice(0, -6))
    result = moved(pictures, recipe, turns=turns)
    torch.testing.assert_close(result[inner], expected[inner], atol=1e-2, rtol=1e-4)
    assert result[..., -4:].abs().max() < 1e-2


def test_shear_leaves_the_center_line_and_slides_the_rest(pictures: Tensor) -> None:
    recipe = Recipe.plain(3)
    recipe.shear_x = filled(2 / 3, pictures)  # row 12 + 1.5 looks one pixel to the right
    result = moved(pictures, recipe, turns=True)
    torch.testing.assert_close(result[..., 13, :-1], pictures[..., 13, 1:], atol=1e-2, rtol=1e-4)
    torch.testing.assert_close(result[..., 10, 1:], pictures[..., 10, :-1], atol=1e-2, rtol=1e-4)


@pytest.mark.parametrize("sigma", [0.1, 0.7, 2.0])
@pytest.mark.parametrize("turns", [False, True])
def test_blur_is_torchvisions_gaussian_blur(pictures: Tensor, sigma: float, turns: bool) -> None:
    recipe = Recipe.plain(3)
    recipe.sigma = torch.tensor([sigma, 0.0, sigma])
    result = moved(pictures, recipe, turns=turns)
    expected = reference.gaussian_blur(pictures, [27, 27], [sigma, sigma])
    expected[1] = pictures[1]
    torch.testing.assert_close(result, expected, atol=1e-2, rtol=1e-4)


@pytest.mark.parametrize("size", [4, 33])
def test_blur_keeps_a_constant_picture(size: int) -> None:
    weights = blur_weights(blur_taps(torch.tensor([0.0, 0.5, 2.0, 50.0]), size), size)
    torch.testing.assert_close(weights.sum(2), torch.ones(4, size))
    torch.testing.assert_close(weights[0], torch.eye(size))


def test_cutout_hides_a_square_of_the_right_side_where_it_was_told() -> None:
    recipe = Recipe.plain(2)
    recipe.cut, recipe.cut_x = torch.tensor([0.5, 0.0]), torch.tensor([0.0, 0.5])
    mask = cut_out(recipe, slice(0, 2), 8, 16)
    assert mask[0, 0].sum() == 4 * 4  # half the height, and half of half the width: the center is on the border
    assert mask[0, 0, 2:6, :4].all()
    assert not mask[1].any()
