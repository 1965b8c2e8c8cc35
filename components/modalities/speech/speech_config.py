"""What may be set of clips of speech: `ingest.modality` beside the name."""

from typing import Literal

from pydantic import Field

from components.core.config import Config

HOP, WINDOW = 0.010, 0.025  # seconds from one frame to the next, and seconds that a frame hears


class SpeechConfig(Config):
    """sample_rate: samples a second that every clip is brought to; seconds: of a clip that are kept.

    views: what a model sees, `log_mel` (frames of band energies) or `wave` (the samples themselves); bands: of
    `log_mel`; mean: what is taken out of these, each band's mean over the `clip`, in which a microphone and a room are
    but also a tone that stays, or the `training` clips' and how loud the clip is; floor: decibels below a clip's
    loudest band, under which nothing is told apart: a room's and a recorder's noise is there, by which speakers differ
    more than words do; silence: whether that before and after the sound is kept or trimmed away.
    """

    sample_rate: int = Field(16_000, ge=2_000, le=192_000)
    seconds: float = Field(4.0, ge=0.05, le=600)
    views: Literal["log_mel", "wave"] = "log_mel"
    bands: int = Field(40, ge=8, le=256)
    mean: Literal["clip", "training"] = "clip"
    floor: float = Field(80.0, ge=10, le=120)
    silence: Literal["keep", "trim"] = "keep"

    def unused(self) -> dict[str, str]:
        """As the base says."""
        why = "ingest.modality.views is wave, which has no bands"
        return dict.fromkeys(("bands", "mean", "floor"), why) if self.views == "wave" else {}

    @property
    def longest(self) -> int:
        """Samples of a record, at most."""
        return max(1, round(self.seconds * self.sample_rate))

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        return max(1, round(HOP * self.sample_rate))

    @property
    def window(self) -> int:
        """Samples that a frame hears."""
        return round(WINDOW * self.sample_rate)
