"""Random numbers into recipes: ranges, independence of the batch, limit cases."""

import numpy as np
import pytest
import torch

from components.modalities.image.policy import Policy, RandAugment
from components.modalities.image.recipe import Recipe, draw

KEYS = np.arange(4000)


def test_a_policy_with_everything_off_is_the_plain_recipe() -> None:
    recipe, plain = draw(Policy(), KEYS, 3, aspect=1.5), Recipe.plain(len(KEYS))
    for name in ("width", "height", "center_x", "center_y", "flip_x", "flip_y", "brightness", "contrast"):
        assert torch.equal(getattr(recipe, name), getattr(plain, name)), name
    for name in ("angle", "shear_x", "shear_y", "saturation", "hue", "sigma", "cut"):
        assert torch.equal(getattr(recipe, name), getattr(plain, name)), name


@pytest.mark.parametrize("aspect", [1.0, 2.0])
def test_crops_keep_their_area_and_ratio_and_stay_inside(aspect: float) -> None:
    recipe = draw(Policy(crop=(0.2, 0.5), ratio=(0.75, 4 / 3)), KEYS, 0, aspect=aspect)
    area, ratio = recipe.width * recipe.height, aspect * recipe.width / recipe.height
    assert area.min() >= 0.2 - 1e-5
    assert area.max() <= 0.5 + 1e-5
    assert area.mean().item() == pytest.approx(0.35, abs=0.01)
    assert ratio.min() >= 0.75 - 1e-4
    assert ratio.max() <= 4 / 3 + 1e-4
    for center, side in ((recipe.center_x, recipe.width), (recipe.center_y, recipe.height)):
        assert (center - side / 2).min() >= -1e-5
        assert (center + side / 2).max() <= 1 + 1e-5


def test_a_crop_that_cannot_have_its_ratio_comes_as_near_as_it_fits() -> None:
    recipe = draw(Policy(crop=(0.9, 0.9), ratio=(3.0, 4.0)), KEYS[:10], 0, aspect=1.0)
    torch.testing.assert_close(recipe.width, torch.ones(10))
    torch.testing.assert_close(recipe.height, torch.full((10,), 0.9))


def test_probabilities_are_kept() -> None:
    policy = Policy(
        flip=0.3, grayscale=0.2, blur=0.6, hue=0.1, color_probability=0.8, cutout=0.5, cutout_probability=0.4
    )
    recipe = draw(policy, KEYS, 1, aspect=1.0)
    shares = [(recipe.flip_x < 0, 0.3), (recipe.saturation == 0, 0.2), (recipe.sigma > 0, 0.6)]
    shares += [(recipe.hue != 0, 0.8), (recipe.cut > 0, 0.4), (recipe.flip_y < 0, 0.0)]
    for happened, probability in shares:
        assert happened.float().mean().item() == pytest.approx(probability, abs=0.03)


def test_switching_a_setting_on_changes_no_other_draw() -> None:
    without = draw(Policy(crop=(0.2, 1.0), brightness=0.4), KEYS, 5, aspect=1.0)
    with_more = draw(Policy(crop=(0.2, 1.0), brightness=0.4, flip=0.5, blur=1.0, rotate=20), KEYS, 5, aspect=1.0)
    for name in ("width", "center_x", "brightness"):
        assert torch.equal(getattr(without, name), getattr(with_more, name))


def test_another_seed_is_another_recipe() -> None:
    first, second = (draw(Policy(rotate=20), KEYS, seed, aspect=1.0).angle for seed in (0, 1))
    assert (first != second).float().mean() > 0.99


def test_rand_augment_does_at_most_its_operations_and_with_no_magnitude_none() -> None:
    plain = Recipe.plain(len(KEYS))
    names = ("angle", "shear_x", "shear_y", "center_x", "center_y", "brightness", "contrast", "saturation", "cut")

    def changed(magnitude: float) -> torch.Tensor:
        policy = Policy(rand_augment=RandAugment(operations=2, magnitude=magnitude))
        recipe = draw(policy, KEYS, 2, aspect=1.0)
        return torch.stack([getattr(recipe, name) != getattr(plain, name) for name in names]).sum(0)

    assert changed(0.0).max() == 0
    counts = changed(0.5)
    assert counts.max() == 2
    assert (counts == 2).float().mean().item() == pytest.approx(
        0.72, abs=0.03
    )  # 9/10 * 8/10: neither idle nor twice one


def test_rand_augment_stays_within_its_magnitude() -> None:
    recipe = draw(Policy(rand_augment=RandAugment(operations=1, magnitude=0.5)), KEYS, 2, aspect=1.0)
    assert recipe.angle.abs().max().item() == pytest.approx(15.0, rel=0.02)
    assert recipe.brightness.min().item() == pytest.approx(0.55, abs=0.01)
    assert recipe.cut.max().item() == pytest.approx(0.25, rel=0.02)
