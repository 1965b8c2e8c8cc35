"""What anybody would try first: cepstral coefficients, their mean and spread over a clip."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.modalities import Array
from components.modalities.speech.log_mel import as_waves, frames_of, log_mel
from components.modalities.speech.speech_config import SpeechConfig

COEFFICIENTS, BANDS, BLOCK = 13, 40, 256
EVERY = 2  # frames of which one is compared in order


def mfcc(records: Tensor, config: SpeechConfig) -> tuple[Tensor, Tensor]:
    """Records `(B, L)` to the first coefficients `(B, COEFFICIENTS, T)` of the bands' cosine transform, and lengths
    `(B,)` in frames (Davis & Mermelstein 1980, https://doi.org/10.1109/TASSP.1980.1163420)."""
    own = config.model_copy(update={"bands": BANDS, "views": "log_mel"})
    waves, lengths = as_waves(records)
    return torch.from_numpy(_cosines()) @ log_mel(waves, own), frames_of(lengths, own)


def sequences(records: Array, config: SpeechConfig) -> tuple[Tensor, Tensor]:
    """`(N, T, COEFFICIENTS)` of records `(N, L)`, every other frame, and lengths `(N,)`, at least 1: each coefficient
    without its mean over the clip."""
    cepstra, lengths = mfcc(torch.from_numpy(np.array(records)), config)
    inside = (torch.arange(cepstra.shape[2]) < lengths[:, None])[:, None]
    mean = (cepstra * inside).sum(2, keepdim=True) / lengths.clamp(min=1)[:, None, None]
    own = ((cepstra - mean) * inside)[:, :, ::EVERY].transpose(1, 2)
    return own, ((lengths + EVERY - 1) // EVERY).clamp(min=1)


def simple_features(records: Array, config: SpeechConfig) -> dict[str, npt.NDArray[np.float32]]:
    """`(N, 4 COEFFICIENTS)` of records `(N, L)`: mean and deviation of each coefficient and of its change."""
    found = [
        _statistics(torch.from_numpy(np.array(records[at : at + BLOCK])), config)
        for at in range(0, len(records), BLOCK)
    ]
    empty = np.empty((0, 4 * COEFFICIENTS), np.float32)
    return {"statistics of cepstral coefficients": np.concatenate([empty, *found])}


def _statistics(records: Tensor, config: SpeechConfig) -> npt.NDArray[np.float32]:
    cepstra, sizes = mfcc(records, config)
    parts = []
    for values, lengths in ((cepstra, sizes), (cepstra.diff(dim=2), (sizes - 1).clamp(min=0))):
        inside = (torch.arange(values.shape[2]) < lengths[:, None])[:, None]
        count = lengths.clamp(min=1)[:, None]
        mean = (values * inside).sum(2) / count
        parts += [mean, (((values - mean[:, :, None]).square() * inside).sum(2) / count).sqrt()]
    return np.asarray(torch.cat(parts, 1).numpy(), np.float32)


@lru_cache(maxsize=1)
def _cosines() -> npt.NDArray[np.float32]:
    """`(COEFFICIENTS, BANDS)`, orthonormal."""
    rows, places = np.arange(COEFFICIENTS)[:, None], np.arange(BANDS)
    table = np.cos(np.pi * rows * (2 * places + 1) / (2 * BANDS)) * np.sqrt(2 / BANDS)
    table[0] /= np.sqrt(2)
    return np.asarray(table, np.float32)
