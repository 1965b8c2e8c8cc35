"""Clips as tests make them: tones that rise, fall or stay, said by several voices."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from components.modalities.speech import Speech
from components.modalities.speech.policy import Policy
from components.modalities.views import Views

RATE = 8000
CLASSES = ("falls", "rises", "stays")
SPEAKERS = ("ada", "ben", "cyd", "dan", "eva", "fay")


def tone(kind: int, speaker: int, draw: np.random.Generator, rate: int = RATE) -> npt.NDArray[np.float32]:
    """A voiced sound of a third of a second whose pitch moves by its kind, at the speaker's pitch and timbre."""
    seconds = draw.uniform(0.25, 0.4)
    time = np.arange(round(seconds * rate)) / rate
    base = (110 + 25 * speaker) * draw.uniform(0.95, 1.05)
    path = {0: 2 - 1 * time / seconds, 1: 1 + 1 * time / seconds, 2: np.full_like(time, 1.4)}[kind]
    phase = 2 * np.pi * np.cumsum(base * path) / rate
    timbre = 1 / np.arange(1, 9) ** (0.6 + 0.1 * speaker)
    sound = sum(weight * np.sin(number * phase) for number, weight in enumerate(timbre, 1))
    shape = np.sin(np.pi * np.arange(len(time)) / len(time)) ** 0.5
    noisy = 0.1 * sound * shape + draw.normal(0, 0.002, len(time))
    return np.asarray(noisy, np.float32)


def wav_bytes(samples: npt.NDArray[Any], rate: int = RATE, subtype: str = "PCM_16", form: str = "WAV") -> bytes:
    """A file's content; samples: `(L,)` or `(L, channels)`."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=form, subtype=subtype)
    return buffer.getvalue()


def records_of(count: int, seed: int = 0) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    """`(N, L)` int16 as a store gives them, and the kind of each, 0 to 2."""
    draw, kinds = np.random.default_rng(seed), np.arange(count) % len(CLASSES)
    waves = [np.rint(tone(kind, number % len(SPEAKERS), draw) * 32768) for number, kind in enumerate(kinds)]
    records = np.zeros((count, max(map(len, waves))), np.int16)
    for row, wave in zip(records, waves, strict=True):
        row[: len(wave)] = wave
    return records, kinds


def views_of(records: npt.NDArray[np.int16], views: str = "log_mel", **policies: Policy) -> Views:
    """What is looked at, by the statistics of these clips."""
    kind = Speech(Speech.Config.model_validate({"sample_rate": RATE, "seconds": 0.5, "views": views}))
    return Views(kind, kind.measure(records, np.arange(len(records))), policies)


def write_clips(folder: Path, count: int, seed: int = 0, *, flat: bool = False) -> None:
    """Files `<class>/<class>_<speaker>_<number>.wav`; flat: all in one folder."""
    draw = np.random.default_rng(seed)
    for number in range(count):
        kind, speaker = number % len(CLASSES), number // len(CLASSES) % len(SPEAKERS)
        place = folder if flat else folder / CLASSES[kind]
        place.mkdir(parents=True, exist_ok=True)
        name = f"{CLASSES[kind]}_{SPEAKERS[speaker]}_{number}.wav"
        (place / name).write_bytes(wav_bytes(tone(kind, speaker, draw)))
