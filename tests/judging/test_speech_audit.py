"""The audit on two made sets of clips: where pitch is the class, and where tempo is."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from components.core.config import PluginChoice
from components.core.plugins import build
from components.judging.audit import Audit, audit_augmentations
from components.modalities import Input
from components.modalities.speech import Speech
from components.modalities.speech.policy import Policy
from components.modalities.views import Views
from components.models.encoders import Encoder

RATE, COUNT = 8000, 48
USED = Policy(pitch=2, stretch=0.2)


class Swells(Encoder):
    """Hears how quickly a clip swells, and nothing else: sizes of the Fourier transform of its loudness."""

    dim = 33

    def __init__(self, given: Input) -> None:
        super().__init__(given)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, views: Tensor) -> Tensor:
        """`(N, bands, T)` -> `(N, dim)`."""
        return self.scale * torch.fft.rfft(views.mean(1), 128).abs()[:, 1:34]


def _audit(
    waves: list[npt.NDArray[np.float64]], classes: npt.NDArray[np.int64], encoder: Callable[[Input], Encoder]
) -> tuple[Audit, Views]:
    records = np.zeros((len(waves), max(map(len, waves))), np.int16)
    for row, wave in zip(records, waves, strict=True):
        row[: len(wave)] = np.rint(9000 * wave)
    config = Speech.Config.model_validate({"sample_rate": RATE, "seconds": 1.0, "mean": "training"})
    kind = Speech(config)
    views = Views(kind, kind.measure(records, np.arange(len(records))), {"view": USED})
    found = audit_augmentations(encoder(views.input), records, classes, views, seed=0)
    assert found is not None
    return found, views


def _untrained(given: Input) -> Encoder:
    torch.manual_seed(0)
    encoder: Encoder = build("encoder", PluginChoice(name="mel_network", width=32), given, where="encoder")
    return encoder


@pytest.fixture(scope="module")
def by_pitch() -> tuple[Audit, Views]:
    """Low and high tones, of any length, to a network that nobody trained, which is enough to tell them apart."""
    draw, classes = np.random.default_rng(0), np.arange(COUNT) % 2
    waves = []
    for number in classes:
        time = np.arange(round(draw.uniform(0.3, 0.7) * RATE)) / RATE
        turns = 2 * np.pi * (400, 450)[number] * draw.uniform(0.99, 1.01) * time
        waves.append(sum(np.sin(turns * part) / part for part in range(1, 5)) / 2 + draw.normal(0, 0.02, len(time)))
    return _audit(waves, classes, _untrained)


@pytest.fixture(scope="module")
def by_tempo() -> tuple[Audit, Views]:
    """Noise of any color that swells slowly or quickly, for a second."""
    draw, classes = np.random.default_rng(0), np.arange(COUNT) % 2
    waves = []
    for number in classes:
        time = np.arange(RATE) / RATE
        beat = np.sin(np.pi * (6, 6.8)[number] * draw.uniform(0.99, 1.01) * time) ** 2 + 0.01
        sound = np.convolve(draw.normal(size=len(time)), np.ones(draw.integers(1, 6)), "same")
        waves.append(0.3 * beat * sound / sound.std())
    return _audit(waves, classes, Swells)


def test_where_pitch_is_the_class_pitch_shift_is_forbidden_and_stretch_is_not(by_pitch: tuple[Audit, Views]) -> None:
    audit, views = by_pitch
    assert audit.accuracy > 0.9
    assert "pitch shift" in audit.forbidden
    assert "time stretch" not in audit.forbidden
    assert ("view", "pitch shift") in audit.conflicts(views.policies)


def test_where_tempo_is_the_class_time_stretch_is_forbidden_and_pitch_shift_is_not(
    by_tempo: tuple[Audit, Views],
) -> None:
    audit, views = by_tempo
    assert audit.accuracy > 0.9
    assert "time stretch" in audit.forbidden
    assert "pitch shift" not in audit.forbidden
    assert ("view", "time stretch") in audit.conflicts(views.policies)
