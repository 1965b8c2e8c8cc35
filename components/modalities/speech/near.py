"""Clips that are nearly the same: signs of how bands change to find candidates, and correlation to confirm them.

The signs are those of Haitsma & Kalker 2002, here of the whole clip in nine parts, so that it fits 64 bits.
"""

import numpy as np
import numpy.typing as npt
import torch

from components.modalities import Array, Pixels, Positions
from components.modalities.speech.log_mel import log_mel
from components.modalities.speech.speech_config import SpeechConfig

Floats = npt.NDArray[np.float32]
BANDS, TIMES = 36, 36  # of what is compared; a fingerprint takes a quarter of each
HEARD = 50.0  # decibels below the loudest: what is quieter, a compressor leaves out
LIKE = 0.97  # correlation; copies by MP3 or another rate have .98 and more, other recordings of a word .95 at most
LENGTHS = 0.1  # by how much copies may differ in length


def fingerprints(records: list[Array], config: SpeechConfig) -> Pixels:
    """`(M, 8)` uint8: whether the difference of neighboring bands grows from each ninth of the clip to the next."""
    if not records:
        return np.empty((0, 8), np.uint8)
    coarse = np.stack([pictures(record, config) for record in records])
    coarse = coarse.reshape(len(records), 9, BANDS // 9, 9, TIMES // 9).mean((2, 4))
    change = np.diff(np.diff(coarse, axis=1), axis=2)
    return np.packbits(change.reshape(len(records), 64) > 0, axis=1)


def alike(records: list[Array], pairs: Positions, config: SpeechConfig) -> npt.NDArray[np.bool_]:
    """`(P,)`: which `pairs` `(2, P)` of the records sound the same all along and are as long as each other."""
    if not pairs.shape[1]:
        return np.empty(0, np.bool_)
    flat = np.stack([pictures(record, config).ravel() for record in records])
    flat = flat - flat.mean(1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-6)
    sizes = np.array([max(1, len(_inside(record))) for record in records])
    one, other = sizes[pairs]
    near = np.einsum("pd,pd->p", flat[pairs[0]], flat[pairs[1]]) >= LIKE
    found: npt.NDArray[np.bool_] = near & (np.maximum(one, other) <= (1 + LENGTHS) * np.minimum(one, other))
    return found


def pictures(record: Array, config: SpeechConfig) -> Floats:
    """`(BANDS, TIMES)` decibels of what is between the silence before and after, whatever its length."""
    wave = torch.from_numpy(np.array(_inside(record), np.float32))[None] / 32768
    own = config.model_copy(update={"bands": BANDS, "views": "log_mel"})
    decibels = log_mel(wave, own)
    decibels = torch.maximum(decibels, decibels.amax() - HEARD)
    return np.asarray(torch.nn.functional.interpolate(decibels, TIMES, mode="linear")[0].numpy(), np.float32)


def _inside(record: Array) -> Array:
    """Between the first and last sample that is louder than a hundredth of the loudest."""
    sizes = np.abs(record.astype(np.int32))
    loud = np.flatnonzero(sizes * 50 > sizes.max()) if len(record) else np.empty(0, np.int64)
    return record[loud[0] : loud[-1] + 1] if len(loud) else record[:1]
