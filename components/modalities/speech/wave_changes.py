"""What policies do to samples: pitch, stretch, speed, other clips, and for models of samples rooms, noise and masks."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from components.core.seeds import derive, uniform
from components.modalities import Array, Positions
from components.modalities.speech.policy import Policy
from components.modalities.speech.speech_config import SpeechConfig
from components.modalities.speech.vocoder import stretched

GRID = 33  # strengths that are drawn, so that clips of one strength are changed together
BEHIND = (5.0, 20.0)  # decibels that another clip is quieter
NOISE = (10.0, 40.0)  # decibels that noise is quieter
POINTS = 6  # of the equalizer's curve


def changed_waves(
    waves: Tensor,
    lengths: Tensor,
    policy: Policy,
    config: SpeechConfig,
    keys: Positions,
    seed: int,
    material: Mapping[str, Array],
    *,
    whole: bool,
) -> tuple[Tensor, Tensor]:
    """Waves `(B, L)` with `lengths` `(B,)` under the policy; whole: and that part of it which frames have otherwise.

    material: other clips, see `gather`. A clip that gets longer is cut where it ended, whatever is beside it.
    """
    draws = torch.from_numpy(uniform(seed, keys, 16)).to(waves.device)
    if policy.speed:
        waves, lengths = _faster(waves, lengths, _steps(draws[:, 0]), policy.speed)
    if policy.pitch or policy.stretch:
        waves, lengths = _voiced(waves, lengths, policy, draws[:, 1:3], config)
    if policy.mix:
        waves = _with_others(waves, lengths, policy.mix, draws[:, 3:7], material)
    if not whole:
        return waves, lengths
    if policy.crop[0] < 1:
        waves, lengths = _part(waves, lengths, policy.crop, draws[:, 7:9])
    if policy.equalizer:
        waves = _equalized(waves, policy.equalizer, uniform(derive(seed, "equalizer"), keys, POINTS))
    if policy.noise:
        waves = _in_noise(waves, lengths, policy.noise, draws[:, 9:11], keys, derive(seed, "noise"))
    if policy.gain:
        waves = waves * 10 ** (policy.gain * (2 * draws[:, 11:12] - 1) / 20)
    if policy.time_mask:
        waves = _hidden(waves, lengths, policy.time_mask, draws[:, 12:16])
    return _silent_behind(waves, lengths), lengths


def _steps(draws: Tensor) -> Tensor:
    """`(B,)` of GRID values from -1 to 1."""
    return torch.floor(draws * GRID) / (GRID - 1) * 2 - 1


def _silent_behind(waves: Tensor, lengths: Tensor) -> Tensor:
    inside = torch.arange(waves.shape[1], device=waves.device) < lengths[:, None]
    return waves * inside


def _faster(waves: Tensor, lengths: Tensor, steps: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Each clip read so many times as fast: higher and shorter, or lower and longer."""
    factors, size = torch.exp(math.log1p(share) * steps), waves.shape[1]
    new = torch.ceil(lengths / factors.double()).long().minimum(lengths)
    return _silent_behind(_read(waves, factors, size), new), new


def _read(waves: Tensor, factors: Tensor, wanted: int) -> Tensor:
    """`(B, wanted)`: each wave at so many places, `factors` `(B,)` samples apart, on a line between its samples."""
    places = torch.arange(wanted, device=waves.device) * factors[:, None].double()
    before, last = places.floor(), waves.shape[1] - 1
    share, index = (places - before).float(), before.long().clamp(max=last)
    return waves.gather(1, index) * (1 - share) + waves.gather(1, (index + 1).clamp(max=last)) * share


def _voiced(
    waves: Tensor, lengths: Tensor, policy: Policy, draws: Tensor, config: SpeechConfig
) -> tuple[Tensor, Tensor]:
    """Pitch and stretch in one: stretched by both, then read faster by the pitch. Clips of one strength together."""
    steps = _steps(draws)
    ratio = 2 ** (policy.pitch * steps[:, 0] / 12)
    tempo = torch.exp(math.log1p(policy.stretch) * steps[:, 1])
    rates, numbers = torch.unique(tempo / ratio, return_inverse=True)
    longest = math.ceil(waves.shape[1] / float(rates.min())) + config.window
    between = waves.new_zeros(len(waves), longest)
    for number, rate in enumerate(rates.tolist()):
        own = (numbers == number).nonzero()[:, 0]
        part = stretched(waves[own], rate, config)[:, :longest]
        between[own, : part.shape[1]] = part
    sizes = (lengths / (tempo / ratio).double()).long().clamp(max=longest)
    new = torch.ceil(lengths / tempo.double()).long().minimum(lengths)
    found = _read(_silent_behind(between, sizes), ratio, waves.shape[1])
    return _silent_behind(found, new), new


def _with_others(waves: Tensor, lengths: Tensor, chance: float, draws: Tensor, material: Mapping[str, Array]) -> Tensor:
    """Some with another clip behind them, quieter and from anywhere in it on."""
    others, sizes = torch.from_numpy(material["others"]).float() / 32768, torch.from_numpy(material["lengths"])
    which = (draws[:, 1] * len(others)).long().clamp(max=len(others) - 1).cpu()
    start = (draws[:, 2].cpu() * sizes[which]).long()
    index = (start[:, None] + torch.arange(waves.shape[1])) % sizes[which].clamp(min=1)[:, None]
    behind = others[which].gather(1, index).to(waves.device)
    below = BEHIND[0] + (BEHIND[1] - BEHIND[0]) * draws[:, 3:4]
    scale = _loudness(waves, lengths) / _loudness(behind, lengths).clamp(min=1e-5) * 10 ** (-below / 20)
    return _silent_behind(torch.where((draws[:, 0] < chance)[:, None], waves + behind * scale, waves), lengths)


def _loudness(waves: Tensor, lengths: Tensor) -> Tensor:
    return (_silent_behind(waves, lengths).square().sum(1) / lengths.clamp(min=1)).sqrt()[:, None]


def _part(waves: Tensor, lengths: Tensor, crop: tuple[float, float], draws: Tensor) -> tuple[Tensor, Tensor]:
    kept = torch.ceil(lengths * (crop[0] + (crop[1] - crop[0]) * draws[:, 0])).long().minimum(lengths)
    start = (draws[:, 1] * (lengths - kept + 1)).long()
    places = (start[:, None] + torch.arange(waves.shape[1], device=waves.device)).clamp(max=waves.shape[1] - 1)
    return _silent_behind(waves.gather(1, places), kept), kept


def _equalized(waves: Tensor, decibels: float, lots: "np.ndarray[tuple[int, int], np.dtype[np.float32]]") -> Tensor:
    """Each clip's spectrum times a smooth curve of its own."""
    spectrum = torch.fft.rfft(waves, 2 * waves.shape[1])
    points = decibels * (2 * torch.from_numpy(lots).to(waves.device)[:, None] - 1)
    curve = torch.nn.functional.interpolate(points, spectrum.shape[1], mode="linear", align_corners=True)[:, 0]
    found: Tensor = torch.fft.irfft(spectrum * 10 ** (curve / 20), 2 * waves.shape[1])[:, : waves.shape[1]]
    return found


def _in_noise(waves: Tensor, lengths: Tensor, chance: float, draws: Tensor, keys: Positions, seed: int) -> Tensor:
    """Some in even noise."""
    noise = torch.from_numpy(uniform(seed, keys, waves.shape[1])).to(waves.device) * 2 - 1
    below = NOISE[0] + (NOISE[1] - NOISE[0]) * draws[:, 1:2]
    scale = _loudness(waves, lengths) * 10 ** (-below / 20) * math.sqrt(3)
    return torch.where((draws[:, 0] < chance)[:, None], waves + noise * scale, waves)


def _hidden(waves: Tensor, lengths: Tensor, share: float, draws: Tensor) -> Tensor:
    places = torch.arange(waves.shape[1], device=waves.device)
    for wide, start in ((draws[:, 0], draws[:, 1]), (draws[:, 2], draws[:, 3])):
        width = torch.floor(share * wide * lengths)
        first = torch.floor(start * (lengths - width + 1))
        waves = waves.masked_fill((places >= first[:, None]) & (places < (first + width)[:, None]), 0)
    return waves
