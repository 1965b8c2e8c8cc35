"""Faster or slower at the same pitch: the phase vocoder (Flanagan & Golden 1966; here as in Laroche & Dolson 1999)."""

import math

import torch
from torch import Tensor

from components.modalities.speech.speech_config import SpeechConfig


def stretched(waves: Tensor, rate: float, config: SpeechConfig) -> Tensor:
    """Waves `(B, L)` played `rate` times as fast, `(B, ceil(L / rate))`, at their pitch.

    Frames are read `rate` apart, their sizes between those of the two frames there; each phase goes on from the last by
    what it moved between these two.
    """
    wanted = math.ceil(waves.shape[1] / rate)
    if rate == 1 or not waves.shape[1]:
        return waves
    size = 1 << (config.window - 1).bit_length()
    size, hop = 2 * size, size // 2
    window = torch.hann_window(size, device=waves.device)
    spectrum = torch.stft(waves, size, hop, window=window, center=True, pad_mode="constant", return_complex=True)
    places = torch.arange(0, spectrum.shape[2], rate, device=waves.device, dtype=torch.float64)
    padded = torch.nn.functional.pad(spectrum, (0, 2))
    before, after = padded[:, :, places.long()], padded[:, :, places.long() + 1]
    share = (places - places.floor()).float()
    sizes = before.abs() * (1 - share) + after.abs() * share
    advance = torch.linspace(0, math.pi * hop, spectrum.shape[1], device=waves.device)[:, None]
    moved = after.angle() - before.angle() - advance
    moved = moved - 2 * math.pi * torch.round(moved / (2 * math.pi)) + advance
    phases = torch.cumsum(torch.cat([spectrum[:, :, :1].angle(), moved[:, :, :-1]], 2).double(), 2).float()
    found: Tensor = torch.istft(torch.polar(sizes, phases), size, hop, window=window, center=True, length=wanted)
    return found
