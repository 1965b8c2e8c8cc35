"""What a model sees of clips: frames of bands or the samples, plainly and under a policy."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from components.core.seeds import derive, uniform
from components.modalities import Array, Plain, Positions, View
from components.modalities.speech.frame_changes import DRAWS, MASKS, changed_frames, masked
from components.modalities.speech.log_mel import as_waves, frames_of, log_mel
from components.modalities.speech.measure import Scale
from components.modalities.speech.policy import Policy
from components.modalities.speech.speech_config import SpeechConfig
from components.modalities.speech.wave_changes import changed_waves

Waves = Callable[[Tensor, Tensor], Tensor]


def look_plainly(config: SpeechConfig, scale: Scale) -> Plain:
    """Records `(B, L)` to normalized frames `(B, bands, T)`, or samples `(B, L)`, 0 behind a clip's end."""

    def frames(records: Tensor) -> Tensor:
        waves, lengths = as_waves(records)
        return scale.frames(log_mel(waves, config), frames_of(lengths, config))

    def samples(records: Tensor) -> Tensor:
        return scale.samples(*as_waves(records))

    return frames if config.views == "log_mel" else samples


def look_by(policy: Policy, config: SpeechConfig, scale: Scale, material: Mapping[str, Array]) -> View:
    """Records `(B, L)`, keys `(B,)` and a seed to what `look_plainly` gives, under the policy."""

    def waves_of(records: Tensor, keys: Positions, seed: int) -> tuple[Tensor, Tensor]:
        waves, lengths = as_waves(records)
        if policy.on_samples or config.views == "wave":
            whole = config.views == "wave"
            waves, lengths = changed_waves(
                waves, lengths, policy, config, keys, derive(seed, "samples"), material, whole=whole
            )
        return waves, lengths

    def frames(records: Tensor, keys: Positions, seed: int) -> Tensor:
        waves, lengths = waves_of(records, keys, seed)
        draws = torch.from_numpy(uniform(seed, keys, DRAWS + 4 * MASKS)).to(waves.device)
        decibels, sizes = changed_frames(log_mel(waves, config), frames_of(lengths, config), policy, draws[:, :DRAWS])
        return masked(scale.frames(decibels, sizes), sizes, policy, draws[:, DRAWS:])

    def samples(records: Tensor, keys: Positions, seed: int) -> Tensor:
        return scale.samples(*waves_of(records, keys, seed))

    return frames if config.views == "log_mel" else samples
