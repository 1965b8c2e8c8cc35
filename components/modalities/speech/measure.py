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
    """std: `(bands,)` decibels; none for samples."""

    std: Tensor | None = None

    @classmethod
    def of(cls, statistics: Mapping[str, Any]) -> "Scale":
        """As `measure` gives them."""
        return cls(torch.tensor(statistics["std"], dtype=torch.float32) if statistics["std"] else None)

    def frames(self, decibels: Tensor, lengths: Tensor) -> Tensor:
        """`(B, M, T)` decibels: of each band the clip's own mean taken out, over the deviation; 0 behind its end."""
        assert self.std is not None
        inside = torch.arange(decibels.shape[2], device=decibels.device) < lengths[:, None]
        return centered(decibels, lengths) / self.std.to(decibels.device)[:, None] * inside[:, None]

    def samples(self, waves: Tensor, lengths: Tensor) -> Tensor:
        """`(B, L)` samples of mean 0 and deviation 1 of each clip; 0 behind its end."""
        inside = torch.arange(waves.shape[1], device=waves.device) < lengths[:, None]
        count = lengths.clamp(min=1)[:, None]
        own = torch.where(inside, waves - (waves * inside).sum(1, keepdim=True) / count, 0)
        return own / (own.square().sum(1, keepdim=True) / count + 1e-7).sqrt()


def centered(decibels: Tensor, lengths: Tensor) -> Tensor:
    """Decibels `(B, M, T)` less each band's mean over the clip: a recorder, a room and a distance are in that mean."""
    inside = torch.arange(decibels.shape[2], device=decibels.device) < lengths[:, None]
    total = (decibels * inside[:, None]).sum(2, keepdim=True)
    return decibels - total / lengths.clamp(min=1)[:, None, None]


def measure(samples: Samples, rows: Positions, config: SpeechConfig) -> dict[str, Any]:
    """`std` of each band over all frames of the rows, their clip's mean taken out; an empty list where samples are
    seen, as a clip has its own.
    """
    if config.views == "wave":
        return {"std": []}
    count, squares = 0.0, np.zeros(config.bands)
    for start in range(0, len(rows), BLOCK):
        waves, lengths = as_waves(torch.from_numpy(np.array(samples[rows[start : start + BLOCK]])))
        sizes = frames_of(lengths, config)
        decibels = centered(log_mel(waves, config), sizes)
        inside = (torch.arange(decibels.shape[2]) < sizes[:, None])[:, None]
        squares += (decibels.double() * inside).square().sum((0, 2)).numpy()
        count += float(sizes.sum())
    deviation = np.sqrt(np.maximum(squares / max(count, 1), SMALLEST**2))
    return {"std": [round(float(one), 4) for one in deviation]}


def check(statistics: Mapping[str, Any], config: SpeechConfig) -> None:
    """Raise ValueError for statistics that `measure` cannot have given."""
    wanted, found = 0 if config.views == "wave" else config.bands, statistics.get("std")
    if statistics.keys() != {"std"} or not isinstance(found, list) or len(found) != wanted:
        raise ValueError(f"std must be a list of {wanted} numbers, one for each band")
    if not all(
        isinstance(one, int | float) and not isinstance(one, bool) and SMALLEST <= one <= LARGEST for one in found
    ):
        raise ValueError(f"std must be of numbers from {SMALLEST:g} to {LARGEST:g}")
