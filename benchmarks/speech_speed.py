"""Log-mel frames and views of clips beside librosa's in one run: seconds of sound a CPU second, one thread.

`python -m benchmarks.speech_speed --librosa PLACE` with a folder that holds librosa (`pip install --target PLACE
librosa`), which is no part of the project. Clips are made: sums of tones in noise. Winnow takes a batch at a time, each
clip changed by a strength of its own; librosa one clip, with windows as long and as far apart. Both make the same
log-mel frames, which is checked in the run. `--save` keeps the figures.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks._pipeline import keep
from components.core import seeds
from components.modalities import View
from components.modalities.speech import Speech
from components.modalities.speech.log_mel import FLOOR, LOWEST, as_waves, fft_size, log_mel
from components.modalities.speech.policy import Policy
from pipelines.clips import POLICIES

PATH = Path(__file__).parent / "results/speech_speed.json"
SECONDS, CLIPS = 2.0, 64
SEMITONES, STRETCH = 3.0, 0.2
ON_SAMPLES = {"pitch": {"pitch": SEMITONES}, "stretch": {"stretch": STRETCH}}
ON_FRAMES = {"tempo, warp": {"tempo": STRETCH, "warp": 0.15}, "pretraining view": POLICIES["view"]}


def main() -> None:
    """Measure all in turn, as often as asked, and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speech_speed", description=__doc__)
    parser.add_argument("--librosa", type=Path, required=True, help="folder that holds librosa")
    parser.add_argument("--rates", type=lambda text: [int(one) for one in text.split(",")], default=[8000, 16000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="keep the figures")
    asked = parser.parse_args()
    sys.path.append(str(asked.librosa))
    seeds.deterministic(1)
    for rate in asked.rates:
        beside = Beside(rate)
        apart = beside.furthest()
        runs: dict[str, list[float]] = {}
        for _ in range(asked.repeats):
            for name, work in beside.works().items():
                runs.setdefault(name, []).append(CLIPS * SECONDS / _cpu_seconds(work))
        figures = {name: round(median(found)) for name, found in runs.items()}
        print(json.dumps({"rate": rate, **figures, "log-mel apart in decibels": apart}), flush=True)
        if asked.save:
            keep(PATH, (f"{rate}", "seconds of sound a CPU second"), {**figures, "log-mel apart in decibels": apart})


class Beside:
    """Clips of one rate, and what both make of them."""

    def __init__(self, rate: int) -> None:
        import librosa  # type: ignore[import-not-found] # no dependency

        self.librosa: Any = librosa
        self.kind, self.waves = _kind(rate, "log_mel"), _kind(rate, "wave")
        draw, time_ = np.random.default_rng(0), np.arange(round(SECONDS * rate)) / rate
        tones = [
            sum(np.sin(2 * np.pi * pitch * number * time_) / number for number in range(1, 9))
            for pitch in draw.uniform(90, 300, CLIPS)
        ]
        sounds = 0.1 * np.array(tones) + draw.normal(0, 0.01, (CLIPS, len(time_)))
        self.records = torch.from_numpy(np.clip(np.rint(sounds * 32768), -32768, 32767).astype(np.int16))
        self.sounds, _ = as_waves(self.records)
        self.strengths = draw.uniform(-1, 1, CLIPS)

    def works(self) -> dict[str, Callable[[], Any]]:
        """By name, all clips changed once."""
        effects, config = self.librosa.effects, self.kind.config
        steps = {"n_fft": 2 * fft_size(config), "hop_length": fft_size(config)}
        found: dict[str, Callable[[], Any]] = {
            "log-mel": lambda: log_mel(self.sounds, config),
            "log-mel, librosa": lambda: [self._frames(sound) for sound in self.sounds.numpy()],
            "pitch, librosa": lambda: [
                effects.pitch_shift(sound, sr=config.sample_rate, n_steps=SEMITONES * strength, **steps)
                for sound, strength in zip(self.sounds.numpy(), self.strengths, strict=True)
            ],
            "stretch, librosa": lambda: [
                effects.time_stretch(sound, rate=math.exp(math.log1p(STRETCH) * strength), **steps)
                for sound, strength in zip(self.sounds.numpy(), self.strengths, strict=True)
            ],
        }
        for kind, policies in ((self.waves, ON_SAMPLES), (self.kind, ON_FRAMES)):
            for name, policy in policies.items():
                view = kind.view(Policy.model_validate(policy), _statistics(kind))
                found[name] = partial(self._seen, view)
        return found

    def furthest(self) -> float:
        """Decibels between both libraries' frames where they differ most."""
        own = log_mel(self.sounds[:4], self.kind.config).numpy()
        theirs = np.stack([self._frames(sound) for sound in self.sounds[:4].numpy()])
        return round(float(np.abs(own - theirs).max()), 4)

    def _seen(self, view: View) -> Any:
        return view(self.records, np.arange(CLIPS), 0)

    def _frames(self, sound: Any) -> Any:
        config = self.kind.config
        power = self.librosa.feature.melspectrogram(
            y=sound,
            sr=config.sample_rate,
            n_fft=fft_size(config),
            hop_length=config.hop,
            win_length=config.window,
            n_mels=config.bands,
            fmin=LOWEST,
            htk=True,
            norm=None,
            pad_mode="constant",
        )
        return self.librosa.power_to_db(power, top_db=FLOOR)


def _kind(rate: int, views: str) -> Speech:
    return Speech(Speech.Config.model_validate({"sample_rate": rate, "seconds": SECONDS, "views": views}))


def _statistics(kind: Speech) -> dict[str, list[float]]:
    return {"mean": [], "std": [10.0] * kind.config.bands if kind.gives == "log_mel" else []}


def _cpu_seconds(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
