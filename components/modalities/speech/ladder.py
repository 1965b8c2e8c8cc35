"""What the audit of augmentations tries on clips, from mild to strong."""

from collections.abc import Mapping

from components.modalities import Array, Level
from components.modalities.speech.speech_config import SpeechConfig


def ladder(config: SpeechConfig, material: Mapping[str, Array]) -> Mapping[str, list[Level]]:
    """By augmentation; material: what `gather` found, without which nothing is mixed."""
    found = {
        "crop": [Level({"crop": [share, share]}, {"crop": [share, 1.0]}) for share in (0.9, 0.75, 0.5)],
        "gain": [Level({"gain": decibels}) for decibels in (6.0, 20.0)],
        "equalizer": [Level({"equalizer": decibels}) for decibels in (6.0, 12.0)],
        "noise": [Level({"noise": 1.0}, {"noise": 0.5})],
        "pitch shift": [Level({"pitch": semitones}) for semitones in (2.0, 4.0, 8.0)],
        "time stretch": [Level({"stretch": share}) for share in (0.15, 0.3, 0.6)],
        "speed": [Level({"speed": share}) for share in (0.1, 0.3)],
        "mixing": [Level({"mix": 1.0}, {"mix": 0.5})],
        "tempo of frames": [Level({"tempo": share}) for share in (0.15, 0.3, 0.6)],
        "warp of bands": [Level({"warp": share}) for share in (0.1, 0.2, 0.4)],
        "time masks": [Level({"time_mask": share}) for share in (0.1, 0.25)],
        "band masks": [Level({"band_mask": share}) for share in (0.1, 0.25)],
    }
    if not material:
        found.pop("mixing")
    of_frames = ("tempo of frames", "warp of bands", "band masks")
    return {name: levels for name, levels in found.items() if config.views == "log_mel" or name not in of_frames}
