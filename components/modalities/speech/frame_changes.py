"""What policies do to frames of bands: parts, tempo, other voices, other rooms, masks; a batch at once."""

import math

import torch
from torch import Tensor

from components.modalities.speech.policy import Policy

DRAWS = 16  # numbers that `changed_frames` draws for each clip
POINTS = 5  # of the equalizer's curve
NOISE = (10.0, 40.0)  # decibels below the clip's mean power
MASKS = 2
BEND = 0.8  # of the bands, from which on a warp bends back so that the highest stays


def changed_frames(decibels: Tensor, lengths: Tensor, policy: Policy, draws: Tensor) -> tuple[Tensor, Tensor]:
    """Decibels `(B, M, T)` of clips with `lengths` `(B,)` frames under the policy, and their lengths then.

    draws: `(B, DRAWS)` in 0..1. What is behind a clip's end means nothing, before and after.
    """
    if policy.warp:
        decibels = _warped(decibels, _either_way(policy.warp, draws[:, 0]))
    if policy.crop[0] < 1 or policy.tempo:
        decibels, lengths = _moved(decibels, lengths, policy, draws[:, 1:4])
    if policy.gain or policy.equalizer:
        decibels = decibels + _curve(policy, draws[:, 4 : 5 + POINTS], decibels.shape[1])[:, :, None]
    if policy.noise:
        decibels = _in_noise(decibels, lengths, policy.noise, draws[:, 10:13])
    return decibels, lengths


def masked(frames: Tensor, lengths: Tensor, policy: Policy, draws: Tensor) -> Tensor:
    """Normalized frames `(B, M, T)` with parts hidden, which is 0; draws: `(B, 4 MASKS)` in 0..1."""
    bands, times = frames.shape[1:]
    for number in range(MASKS):
        own = draws[:, 4 * number : 4 * number + 4]
        for share, size, axis, (wide, start) in (
            (policy.time_mask, lengths.float(), 2, (own[:, 0], own[:, 1])),
            (policy.band_mask, torch.full_like(own[:, 0], bands), 1, (own[:, 2], own[:, 3])),
        ):
            if share:
                width = torch.floor(share * wide * size + 0.5)
                first = torch.floor(start * (size - width + 1))
                places = torch.arange(times if axis == 2 else bands, device=frames.device)
                hidden = (places >= first[:, None]) & (places < (first + width)[:, None])
                frames = frames.masked_fill(hidden[:, None] if axis == 2 else hidden[:, :, None], 0)
    return frames


def _either_way(share: float, draws: Tensor) -> Tensor:
    """Factors `(B,)` from 1 / (1 + share) to 1 + share, as often above 1 as below."""
    return torch.exp(math.log1p(share) * (2 * draws - 1))


def _warped(decibels: Tensor, factors: Tensor) -> Tensor:
    """Bands read from `factors` times their place on the mel scale, the highest staying where it is."""
    bands = decibels.shape[1]
    places = torch.arange(bands, device=decibels.device) / (bands - 1)
    straight = places * factors[:, None]
    bend = BEND / factors.clamp(min=1)[:, None]
    above = bend * factors[:, None] + (places - bend) * (1 - bend * factors[:, None]) / (1 - bend)
    wanted = torch.where(places < bend, straight, above).clamp(0, 1) * (bands - 1)
    grid = torch.arange(bands, device=decibels.device)
    weights = (1 - (wanted[:, :, None] - grid).abs()).clamp(min=0)  # (B, to, from)
    return weights @ decibels


def _moved(decibels: Tensor, lengths: Tensor, policy: Policy, draws: Tensor) -> tuple[Tensor, Tensor]:
    """A part of each clip, faster or slower, no longer than it was; its frames lie between those there were."""
    low, high = policy.crop
    size, times = lengths.float(), decibels.shape[2]
    rate = _either_way(policy.tempo, draws[:, 2]) if policy.tempo else torch.ones_like(size)
    kept = (size * (low + (high - low) * draws[:, 0]).minimum(rate)).clamp(min=1)
    start = draws[:, 1] * (size - kept).clamp(min=0)
    new = torch.ceil(kept / rate).long().minimum(lengths)
    wanted = start[:, None] + torch.arange(times, device=decibels.device) * rate[:, None]
    wanted = wanted.clamp(min=0).minimum((size - 1).clamp(min=0)[:, None])
    before = wanted.floor()
    share = (wanted - before)[:, None]
    index = before.long()[:, None].expand(-1, decibels.shape[1], -1)
    after = (index + 1).clamp(max=times - 1)
    return decibels.gather(2, index) * (1 - share) + decibels.gather(2, after) * share, new


def _curve(policy: Policy, draws: Tensor, bands: int) -> Tensor:
    """`(B, bands)` decibels that are added: one number, and a line through a few."""
    curve = policy.gain * (2 * draws[:, :1] - 1)
    if not policy.equalizer:
        return curve.expand(-1, bands)
    points = policy.equalizer * (2 * draws[:, None, 1:] - 1)
    return curve + torch.nn.functional.interpolate(points, bands, mode="linear", align_corners=True)[:, 0]


def _in_noise(decibels: Tensor, lengths: Tensor, chance: float, draws: Tensor) -> Tensor:
    """Powers add up; the noise is even, or falls by up to 12 decibels an octave's worth of bands."""
    inside = torch.arange(decibels.shape[2], device=decibels.device) < lengths[:, None]
    power = (10 ** (decibels / 10)).masked_fill(~inside[:, None], 0).sum(2, keepdim=True)
    mean = 10 * torch.log10(power.mean(1, keepdim=True) / lengths.clamp(min=1)[:, None, None] + 1e-10)
    level = mean - (NOISE[0] + (NOISE[1] - NOISE[0]) * draws[:, 1])[:, None, None]
    slope = torch.linspace(6, -6, decibels.shape[1], device=decibels.device)[:, None] * draws[:, 2, None, None]
    mixed = torch.logaddexp(decibels * (math.log(10) / 10), (level + slope) * (math.log(10) / 10)) * (10 / math.log(10))
    return torch.where((draws[:, 0] < chance)[:, None, None], mixed, decibels)
