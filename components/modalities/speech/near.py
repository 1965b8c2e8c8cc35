"""Clips that are nearly the same: signs of their frames' lowest frequencies as candidates, correlation to confirm them.

As `image/near.py` does with pictures, here of log-mel frames of what is heard, brought to one length.
"""

import numpy as np
import numpy.typing as npt
import torch

from components.modalities import Array, Pixels, Positions
from components.modalities.speech.log_mel import log_mel
from components.modalities.speech.speech_config import SpeechConfig

Floats = npt.NDArray[np.float32]
BANDS, TIMES = 30, 36  # of what is compared
LOW = 8  # frequencies each way that a fingerprint takes
TOP = 36  # bands there would be up to half the rate: the highest, which compressors leave out, are not compared
BELOW = 80.0  # decibels below the loudest band, with the highest ones, that are looked at
HEARD = 30.0  # decibels below the loudest: what is quieter, a compressor leaves out too
LIKE = 0.97  # correlation; of copies of spoken digits by MP3 half have .99, one in ten less than .96, of which 64 bits
# differ by more than is looked at; the likest two recordings of one digit by one speaker have .965
LENGTHS = 0.1  # by how much copies may differ in length


def fingerprints(records: list[Array], config: SpeechConfig) -> Pixels:
    """`(M, 8)` uint8: which of the 8 x 8 lowest frequencies of bands and time (DCT-II) are above their median."""
    if not records:
        return np.empty((0, 8), np.uint8)
    heard = np.stack([pictures(record, config) for record in records]).astype(np.float64)
    low = _cosines(BANDS) @ heard @ _cosines(TIMES).T
    flat = low.reshape(len(records), LOW * LOW)
    return np.packbits(flat > np.median(flat, axis=1, keepdims=True), axis=1)


def alike(records: list[Array], pairs: Positions, config: SpeechConfig) -> npt.NDArray[np.bool_]:
    """`(P,)`: which `pairs` `(2, P)` of the records sound the same all along and are as long as each other."""
    if not pairs.shape[1]:
        return np.empty(0, np.bool_)
    heard = [_heard(record, config) for record in records]
    flat = np.stack([_of_one_length(one).ravel() for one in heard])
    flat = flat - flat.mean(1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-6)
    one, other = np.array([one.shape[1] for one in heard])[pairs]
    near = np.einsum("pd,pd->p", flat[pairs[0]], flat[pairs[1]]) >= LIKE
    found: npt.NDArray[np.bool_] = near & (np.maximum(one, other) <= (1 + LENGTHS) * np.minimum(one, other))
    return found


def pictures(record: Array, config: SpeechConfig) -> Floats:
    """`(BANDS, TIMES)` decibels of what is between the silence before and after, whatever its length."""
    return _of_one_length(_heard(record, config))


def _heard(record: Array, config: SpeechConfig) -> torch.Tensor:
    wave = torch.from_numpy(np.array(record, np.float32))[None] / 32768
    own = config.model_copy(update={"bands": TOP, "views": "log_mel", "floor": BELOW})
    decibels = log_mel(wave, own)[0, :BANDS]
    loud = decibels.amax(0)
    heard = (loud > loud.amax() - HEARD).nonzero()[:, 0]
    decibels = decibels[:, int(heard[0]) : int(heard[-1]) + 1]
    return torch.maximum(decibels, decibels.amax() - HEARD)


def _of_one_length(decibels: torch.Tensor) -> Floats:
    brought = torch.nn.functional.interpolate(decibels[None], TIMES, mode="linear")[0]
    return np.asarray(brought.numpy(), np.float32)


def _cosines(size: int) -> npt.NDArray[np.float64]:
    """`(LOW, size)`."""
    return np.cos(np.pi * np.arange(LOW)[:, None] * (2 * np.arange(size) + 1) / (2 * size))
