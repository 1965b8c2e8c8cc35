"""What a view of a picture may look like: the settings of an augmentation policy."""

from typing import Annotated

from pydantic import AfterValidator, Field

from components.core.config import Config

Share = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(ge=0)]
COLORS = ("brightness", "contrast", "saturation", "hue")


def _ascending(pair: tuple[float, float]) -> tuple[float, float]:
    if not 0 < pair[0] <= pair[1]:
        raise ValueError("two positive numbers, the smaller one first")
    return pair


def _area(pair: tuple[float, float]) -> tuple[float, float]:
    if _ascending(pair)[1] > 1:
        raise ValueError("a share of the picture's area, which cannot be above 1")
    return pair


Range = Annotated[tuple[float, float], AfterValidator(_ascending)]
AreaRange = Annotated[tuple[float, float], AfterValidator(_area)]


class RandAugment(Config):
    """So many operations per picture, drawn at random from the pool in `recipe.py`, each of random strength.

    In the spirit of RandAugment (Cubuk et al. 2020, https://arxiv.org/abs/1909.13719) as FixMatch uses it.
    """

    operations: Annotated[int, Field(ge=0, le=16)] = 0
    magnitude: Share = 0.5  # of the strongest an operation can be

    def unused(self) -> dict[str, str]:
        """As the base says."""
        return {} if self.operations else {"magnitude": "operations is 0"}


class Policy(Config):
    """The settings of one view; by default everything is off and the picture is only normalized.

    Color settings are torchvision's: a factor is drawn from `[max(0, 1 - x), 1 + x]`, hue from `[-x, x]` turns. On gray
    pictures saturation, hue and grayscale change nothing, as they should, and params.yaml must not ask for them.
    """

    crop: AreaRange = (1.0, 1.0)  # share of the area that is kept
    ratio: Range = (3 / 4, 4 / 3)  # width / height of the crop
    flip: Share = 0.0  # probability, left to right
    vertical_flip: Share = 0.0  # probability, top to bottom
    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0  # degrees, either way
    translate: Share = 0.0  # share of each side, either way
    brightness: Factor = 0.0
    contrast: Factor = 0.0
    saturation: Factor = 0.0
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    color_probability: Share = 0.8  # of the four above, together
    grayscale: Share = 0.0  # probability
    blur: Share = 0.0  # probability
    blur_sigma: Range = (0.1, 2.0)  # pixels
    cutout: Share = 0.0  # side of the square hidden, as a share of the picture's
    cutout_probability: Share = 1.0
    shrink: Annotated[int, Field(ge=1, le=8)] = 1  # sides of the view are 1/shrink of the picture's: local crops
    rand_augment: RandAugment = RandAugment()

    def unused(self) -> dict[str, str]:
        """As the base says."""
        off = {
            "ratio": None if self.crop != (1, 1) else "crop is the whole picture",
            "color_probability": None if any(getattr(self, name) for name in COLORS) else "no color setting is on",
            "blur_sigma": None if self.blur else "blur is 0",
            "cutout_probability": None if self.cutout else "cutout is 0",
        }
        return {name: why for name, why in off.items() if why}
