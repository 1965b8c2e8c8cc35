"""From samples to log-mel frames: how loud each band of frequencies is every hundredth of a second, in decibels.

Bands are triangles on the mel scale (O'Shaughnessy 1987: 2595 log10(1 + f / 700)), each of height 1.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.modalities.speech.speech_config import SpeechConfig

LOWEST = 60.0  # Hz; below is hum
LEAST = 1e-10  # power of a sample's rounding, so that silence has a logarithm


def as_waves(records: Tensor) -> tuple[Tensor, Tensor]:
    """Records `(B, L)` int16 as float32 in -1..1, and `(B,)` lengths: samples up to the last that is not 0."""
    places = torch.arange(1, records.shape[1] + 1, device=records.device)
    lengths = torch.where(records != 0, places, 0).amax(1) if records.shape[1] else records.sum(1)
    return records.float() / 32768, lengths


def frames_of(lengths: Tensor, config: SpeechConfig) -> Tensor:
    """`(B,)` frames of clips with so many samples; a clip of none has none."""
    return torch.where(lengths > 0, 1 + lengths // config.hop, 0)


def log_mel(waves: Tensor, config: SpeechConfig) -> Tensor:
    """Waves `(B, L)` in -1..1 to decibels `(B, bands, 1 + L // hop)`, no lower than `floor` below the loudest."""
    window = torch.hann_window(config.window, device=waves.device)
    size = fft_size(config)
    spectrum = torch.stft(
        waves, size, config.hop, config.window, window, center=True, pad_mode="constant", return_complex=True
    )
    power = spectrum.real.square() + spectrum.imag.square()
    bands = mel_filters(config.bands, size, config.sample_rate).to(waves.device) @ power
    decibels = 10 * torch.log10(bands + LEAST)
    return torch.maximum(decibels, decibels.amax((1, 2), keepdim=True) - config.floor)


def fft_size(config: SpeechConfig) -> int:
    """The least power of two that holds a window."""
    return 1 << (config.window - 1).bit_length()


def mel_filters(bands: int, size: int, rate: int) -> Tensor:
    """`(bands, size / 2 + 1)` weights of the spectrum's bins; every band hears at least the bin it is nearest to."""
    return torch.from_numpy(_filters(bands, size, rate))


@lru_cache(maxsize=8)
def _filters(bands: int, size: int, rate: int) -> npt.NDArray[np.float32]:
    bins = np.linspace(0, rate / 2, size // 2 + 1)
    edges = _hertz(np.linspace(_mel(min(LOWEST, rate / 8)), _mel(rate / 2), bands + 2))
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    filters = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)).clip(0)
    nearest, deaf = np.abs(bins - middle).argmin(1), filters.sum(1) == 0
    filters[deaf, nearest[deaf]] = 1
    return np.asarray(filters, np.float32)


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(700 * (10 ** (mels / 2595) - 1))
