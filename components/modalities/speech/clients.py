"""What clients send: the rate, then the samples, as one row of numbers; behind a shorter clip's end 0."""

import numpy as np
import numpy.typing as npt

from components.datasets.records import Unreadable
from components.datasets.sample_store import padded
from components.modalities import Array
from components.modalities.speech.decode import RATES, kept_of
from components.modalities.speech.speech_config import SpeechConfig


def from_rows(given: Array, config: SpeechConfig) -> Array:
    """`(N, 1 + L)` numbers, the first of each row its samples a second, the others from -1 to 1, to records `(N, L)`.

    Raises Unreadable for a rate that is none, which the first sample is where the rate was left out, and for samples
    that are none or louder than 1.
    """
    return padded([_record(np.asarray(row, np.float32), config) for row in given])


def to_rows(records: Array, config: SpeechConfig) -> npt.NDArray[np.float32]:
    """Records `(N, L)` as clients would send them."""
    rates = np.full((len(records), 1), config.sample_rate, np.float32)
    return np.concatenate([rates, np.asarray(records, np.float32) / 32768], axis=1)


def _record(row: npt.NDArray[np.float32], config: SpeechConfig) -> npt.NDArray[np.int16]:
    rate = float(row[0]) if len(row) else 0.0
    if not RATES[0] <= rate <= RATES[1] or rate != round(rate):
        raise Unreadable(
            f"{rate:g} samples a second: put the rate in front of the samples, a whole number from {RATES[0]:,} to "
            f"{RATES[1]:,}."
        )
    samples = row[1:]
    if not np.isfinite(samples).all() or np.abs(samples).max(initial=0) > 1:
        raise Unreadable("samples that are no numbers from -1 to 1: divide those of 16 bits by 32,768.")
    last = np.flatnonzero(samples)
    if not len(last):
        raise Unreadable("no sound in it: all samples are 0.")
    return kept_of(samples[: int(last[-1]) + 1], int(rate), config).samples
