"""What clips are normalized by: each band's own mean and its deviation over training clips; of samples, their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.datasets.sample_store import Samples
from components.modalities import Positions
from components.modalities.speech.log_mel import as_waves, frames_of, log_mel
from components.modalities.speech.speech_config import SpeechConfig

BLOCK = 64  # clips at a time
SMALLEST, LARGEST = 1e-3, 1e3  # of a deviation, in decibels


@dataclass(frozen=True)
class Scale:
    """mean, std: `(bands,)` decibels; no mean where a clip has its own, none of both for samples."""

    mean: Tensor | None = None
    std: Tensor | None = None

    @classmethod
    def of(cls, statistics: Mapping[str, Any]) -> "Scale":
        """As `measure` gives them."""
        return cls(*(torch.tensor(statistics[name]) if statistics[name] else None for name in ("mean", "std")))

    def frames(self, decibels: Tensor, lengths: Tensor) -> Tensor:
        """`(B, M, T)` decibels: less the mean, over the deviation; 0 behind a clip's end."""
        assert self.std is not None
        inside = torch.arange(decibels.shape[2], device=decibels.device) < lengths[:, None]
        own = centered(decibels, lengths, each=self.mean is None)
        if self.mean is not None:
            own = own - self.mean.to(own.device)[:, None]
        return own / self.std.to(own.device)[:, None] * inside[:, None]

    def samples(self, waves: Tensor, lengths: Tensor) -> Tensor:
        """`(B, L)` samples of mean 0 and deviation 1 of each clip; 0 behind its end."""
        inside = torch.arange(waves.shape[1], device=waves.device) < lengths[:, None]
        count = lengths.clamp(min=1)[:, None]
        own = torch.where(inside, waves - (waves * inside).sum(1, keepdim=True) / count, 0)
        return own / (own.square().sum(1, keepdim=True) / count + 1e-7).sqrt()


def centered(decibels: Tensor, lengths: Tensor, *, each: bool) -> Tensor:
    """Decibels `(B, M, T)` less their mean over the clip, of each band or of all together."""
    inside = torch.arange(decibels.shape[2], device=decibels.device) < lengths[:, None]
    mean = (decibels * inside[:, None]).sum(2, keepdim=True) / lengths.clamp(min=1)[:, None, None]
    return decibels - (mean if each else mean.mean(1, keepdim=True))


def measure(samples: Samples, rows: Positions, config: SpeechConfig) -> dict[str, Any]:
    """`mean` and `std` of each band over all frames of the rows, as `ingest.modality.mean` says: no means where a clip
    has its own; both empty where samples are seen.
    """
    if config.views == "wave":
        return {"mean": [], "std": []}
    each, count, total, squares = config.mean == "clip", 0.0, np.zeros(config.bands), np.zeros(config.bands)
    for start in range(0, len(rows), BLOCK):
        waves, lengths = as_waves(torch.from_numpy(np.array(samples[rows[start : start + BLOCK]])))
        sizes = frames_of(lengths, config)
        decibels = centered(log_mel(waves, config), sizes, each=each)
        inside = (torch.arange(decibels.shape[2]) < sizes[:, None])[:, None]
        found = decibels.double() * inside
        total += found.sum((0, 2)).numpy()
        squares += found.square().sum((0, 2)).numpy()
        count += float(sizes.sum())
    mean = total / max(count, 1)
    deviation = np.sqrt(np.maximum(squares / max(count, 1) - mean**2, SMALLEST**2))
    return {"mean": [] if each else _listed(mean), "std": _listed(deviation)}


def check(statistics: Mapping[str, Any], config: SpeechConfig) -> None:
    """Raise ValueError for statistics that `measure` cannot have given."""
    bands = 0 if config.views == "wave" else config.bands
    wanted = {"mean": 0 if config.mean == "clip" else bands, "std": bands}
    if statistics.keys() != wanted.keys():
        raise ValueError("statistics must be mean and std, a list of numbers each")
    for name, least in (("mean", -LARGEST), ("std", SMALLEST)):
        found = statistics[name]
        if not isinstance(found, list) or len(found) != wanted[name] or not all(_is(one, least) for one in found):
            raise ValueError(f"{name} must be a list of {wanted[name]} numbers from {least:g} to {LARGEST:g}")


def _listed(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
    return [round(float(one), 4) for one in values]


def _is(value: Any, least: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= LARGEST
