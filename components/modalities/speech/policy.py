"""What may be done to a clip before a model sees it: on its samples, and on its frames, which is quick."""

from typing import Annotated

from pydantic import Field, field_validator

from components.core.config import Config

Part = Annotated[float, Field(gt=0, le=1)]
Chance = Annotated[float, Field(ge=0, le=1)]
Below1 = Annotated[float, Field(ge=0, lt=1)]
Decibels = Annotated[float, Field(ge=0, le=60)]

OF_BANDS = ("tempo", "warp", "band_mask")  # what is done to frames alone


class Policy(Config):
    """crop: shares, least and most, of a clip that stay, in a row. gain: decibels louder or softer, at most; equalizer:
    decibels that any part of the spectrum is raised or lowered, at most. noise: chance of noise in the background,
    10 to 40 decibels below the clip.

    On the samples: pitch: semitones up or down with the same tempo, stretch: share that it is faster or slower with the
    same pitch (both by the phase vocoder); speed: share of both together, as a tape that runs faster; mix: chance that
    another training clip is heard in the background.

    On the frames, many times quicker: tempo: share that it is faster or slower; warp: share that frequencies are higher
    or lower (Jaitly & Hinton 2013); time_mask, band_mask: shares of the frames and of the bands that are hidden at most
    by each of two masks (Park et al. 2019, https://arxiv.org/abs/1904.08779).
    """

    crop: tuple[Part, Part] = (1.0, 1.0)
    gain: Decibels = 0.0
    equalizer: Decibels = 0.0
    noise: Chance = 0.0
    pitch: Annotated[float, Field(ge=0, le=24)] = 0.0
    stretch: Below1 = 0.0
    speed: Below1 = 0.0
    mix: Chance = 0.0
    tempo: Below1 = 0.0
    warp: Below1 = 0.0
    time_mask: Below1 = 0.0
    band_mask: Below1 = 0.0

    @field_validator("crop")
    @classmethod
    def _in_order(cls, crop: tuple[float, float]) -> tuple[float, float]:
        if crop[0] > crop[1]:
            raise ValueError("the least share first, then the most, such as [0.5, 1.0]")
        return crop

    @property
    def on_samples(self) -> bool:
        """Whether anything is done that needs the samples."""
        return bool(self.pitch or self.stretch or self.speed or self.mix)
