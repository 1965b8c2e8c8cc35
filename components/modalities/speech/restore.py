"""From frames back to samples, as far as that goes: bands spread over the spectrum, phases guessed anew.

Griffin & Lim 1984, https://doi.org/10.1109/TASSP.1984.1164317.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.modalities.speech.log_mel import fft_size, mel_filters
from components.modalities.speech.measure import Scale
from components.modalities.speech.speech_config import SpeechConfig

ROUNDS = 16
LOUDEST = 0.5  # of 1; what frames were taken out of is not known


def restored(views: Tensor, config: SpeechConfig, scale: Scale) -> npt.NDArray[np.int16]:
    """Normalized frames `(B, bands, T)`, or samples `(B, L)`, to records; how loud they were is lost."""
    waves = views.float() if config.views == "wave" else _waves_of(views.float(), config, scale)
    peak = waves.abs().amax(1, keepdim=True).clamp(min=1e-6)
    return np.asarray(torch.round(waves / peak * (LOUDEST * 32767)).cpu().numpy(), np.int16)


def _waves_of(frames: Tensor, config: SpeechConfig, scale: Scale) -> Tensor:
    assert scale.std is not None
    inside = (frames != 0).any(1)
    decibels = frames * scale.std[:, None]
    if scale.mean is not None:
        decibels = decibels + scale.mean[:, None]
    power = 10 ** (decibels / 10) * inside[:, None]
    size = fft_size(config)
    filters = mel_filters(config.bands, size, config.sample_rate)
    spread = filters.T / filters.sum(0).clamp(min=1e-3)[:, None]
    sizes = (spread @ (power / filters.sum(1)[:, None].clamp(min=1e-3))).clamp(min=0).sqrt()
    turns = torch.rand(sizes.shape, generator=torch.Generator().manual_seed(0)) * (2 * torch.pi)
    wave = _sound(torch.polar(sizes, turns), size, config)
    window = torch.hann_window(config.window)
    for _ in range(ROUNDS):
        heard = torch.stft(wave, size, config.hop, config.window, window, pad_mode="constant", return_complex=True)
        wave = _sound(torch.polar(sizes, heard.angle()), size, config)
    return wave


def _sound(spectrum: Tensor, size: int, config: SpeechConfig) -> Tensor:
    window, length = torch.hann_window(config.window), config.hop * (spectrum.shape[2] - 1)
    return torch.istft(spectrum, size, config.hop, config.window, window, length=length)
