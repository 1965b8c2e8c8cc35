"""What happens to each picture of a batch: a policy's random numbers turned into sizes, angles and factors."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.core.device import to_device
from components.core.seeds import uniform
from components.modalities.image.policy import Policy

COLUMNS = (
    *("area", "ratio", "x", "y", "flip", "vertical_flip", "angle", "shift_x", "shift_y"),
    *("jitter", "brightness", "contrast", "saturation", "hue", "gray"),
    *("blur", "sigma", "cut", "cut_x", "cut_y"),
)
POOL = (
    *("identity", "angle", "shift_x", "shift_y", "shear_x", "shear_y"),
    *("brightness", "contrast", "saturation", "cut"),
)
STRONGEST = {"angle": 30.0, "shift_x": 0.3, "shift_y": 0.3, "shear_x": 0.3, "shear_y": 0.3, "cut": 0.5}
STRONGEST_FACTOR = 0.9  # brightness, contrast and saturation; the ranges are those of RandAugment and FixMatch


@dataclass
class Recipe:
    """One number per picture and operation, each `(B,)` float32; the defaults of `plain` change nothing.

    The view shows the box of `width` x `height` (shares of the source's sides) around (`center_x`, `center_y`), turned
    by `angle` degrees counter-clockwise and sheared; `flip_*` is 1 or -1; `sigma` and `cut` are off at 0.
    """

    center_x: Tensor
    center_y: Tensor
    width: Tensor
    height: Tensor
    flip_x: Tensor
    flip_y: Tensor
    angle: Tensor
    shear_x: Tensor
    shear_y: Tensor
    brightness: Tensor
    contrast: Tensor
    saturation: Tensor
    hue: Tensor
    sigma: Tensor
    cut: Tensor
    cut_x: Tensor
    cut_y: Tensor

    @classmethod
    def plain(cls, pictures: int) -> "Recipe":
        """The recipe that leaves every picture as it is."""
        values = dict.fromkeys(cls.__dataclass_fields__, 0.0)
        values |= dict.fromkeys(("width", "height", "flip_x", "flip_y", "brightness", "contrast", "saturation"), 1.0)
        values |= dict.fromkeys(("center_x", "center_y", "cut_x", "cut_y"), 0.5)
        return cls(**{name: torch.full((pictures,), value) for name, value in values.items()})

    def to(self, device: torch.device) -> "Recipe":
        """The same numbers on another device."""
        there = to_device(torch.stack(list(vars(self).values())), device)  # one copy instead of one per field
        return Recipe(**dict(zip(vars(self), there, strict=True)))


def draw(policy: Policy, keys: npt.NDArray[np.int64], seed: int, *, aspect: float) -> Recipe:
    """Draw the recipe of each picture; `aspect` is width / height of the pictures.

    A picture's numbers depend on `(seed, key)` alone; each setting has its own, so switching one on moves no other.
    """
    extra = policy.rand_augment.operations
    numbers = torch.from_numpy(uniform(seed, keys, len(COLUMNS) + 2 * extra)).T.contiguous()
    u = dict(zip(COLUMNS, numbers, strict=False))
    recipe = Recipe.plain(len(keys))
    _draw_geometry(recipe, policy, u, aspect)
    _draw_color(recipe, policy, u)
    recipe.sigma = torch.where(u["blur"] < policy.blur, _between(u["sigma"], *policy.blur_sigma), 0.0)
    recipe.cut = torch.where(u["cut"] < policy.cutout_probability, policy.cutout, 0.0)
    recipe.cut_x, recipe.cut_y = u["cut_x"], u["cut_y"]
    for operation in range(extra):
        chosen, strength = numbers[len(COLUMNS) + 2 * operation :][:2]
        _add_operation(recipe, chosen, strength, policy.rand_augment.magnitude)
    return recipe


def _draw_geometry(recipe: Recipe, policy: Policy, u: dict[str, Tensor], aspect: float) -> None:
    """Area uniform, ratio log-uniform among the ratios that fit: torchvision's crop without its ten attempts."""
    area = _between(u["area"], *policy.crop)
    fits = -area.log()  # sides are shares: the box fits if |log(width / height)| is below this
    lowest, highest = (np.log(bound / aspect) for bound in policy.ratio)
    low, high = (torch.clamp(torch.full_like(fits, bound), -fits, fits) for bound in (lowest, highest))
    ratio = (low + (high - low) * u["ratio"]).exp()
    recipe.width, recipe.height = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
    recipe.center_x = recipe.width / 2 + (1 - recipe.width) * u["x"] + policy.translate * _signed(u["shift_x"])
    recipe.center_y = recipe.height / 2 + (1 - recipe.height) * u["y"] + policy.translate * _signed(u["shift_y"])
    recipe.flip_x = torch.where(u["flip"] < policy.flip, -1.0, 1.0)
    recipe.flip_y = torch.where(u["vertical_flip"] < policy.vertical_flip, -1.0, 1.0)
    recipe.angle = policy.rotate * _signed(u["angle"])


def _draw_color(recipe: Recipe, policy: Policy, u: dict[str, Tensor]) -> None:
    jitter = u["jitter"] < policy.color_probability
    for name in ("brightness", "contrast", "saturation"):
        strength = getattr(policy, name)
        setattr(recipe, name, torch.where(jitter, _between(u[name], max(0.0, 1 - strength), 1 + strength), 1.0))
    recipe.hue = torch.where(jitter, policy.hue * _signed(u["hue"]), 0.0)
    recipe.saturation = torch.where(u["gray"] < policy.grayscale, 0.0, recipe.saturation)


def _add_operation(recipe: Recipe, chosen: Tensor, strength: Tensor, magnitude: float) -> None:
    """Add one operation of the pool to each picture; turns, shifts and shears add up, factors multiply."""
    index = (chosen * len(POOL)).long()
    signed = magnitude * _signed(strength)
    for position, name in enumerate(POOL):
        amount = torch.where(index == position, signed, 0.0)
        if name in ("angle", "shear_x", "shear_y"):
            setattr(recipe, name, getattr(recipe, name) + STRONGEST[name] * amount)
        elif name in ("shift_x", "shift_y"):
            center = name.replace("shift", "center")
            setattr(recipe, center, getattr(recipe, center) + STRONGEST[name] * amount)
        elif name == "cut":
            recipe.cut = torch.maximum(recipe.cut, STRONGEST[name] * amount.abs())
        elif name != "identity":
            setattr(recipe, name, getattr(recipe, name) * (1 + STRONGEST_FACTOR * amount))


def _between(u: Tensor, low: float, high: float) -> Tensor:
    return low + (high - low) * u


def _signed(u: Tensor) -> Tensor:
    return 2 * u - 1
