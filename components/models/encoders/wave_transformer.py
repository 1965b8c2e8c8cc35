"""Convolutions over the samples of a clip, then a transformer over the frames that they make of them.

As in wav2vec 2.0 (Baevski, Zhou, Mohamed & Auli 2020, https://arxiv.org/abs/2006.11477, section 2): places are told by
one more convolution, over the frames. The blocks are normalized first.
"""

import math

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.core.errors import WinnowError
from components.modalities import Input
from components.models.encoders import Encoder
from components.models.transformer_row import TransformerRow

GROUPS = 16  # of channels, by which places are told
TOGETHER = 16  # clips of like length that go through the network at once on a CPU
Steps = tuple[int, ...]


class WaveTransformer(Encoder):
    """`hear`: frames that know their own moment; `encode`: frames that saw each other; `pool`: a vector of a clip.

    What is behind a clip's end counts for nothing. channels: of what `hear` gives; width: of what `encode` gives; `dim`
    is twice that, the mean and the deviation over a clip's frames.
    """

    takes = ("wave",)

    class Config(BaseConfig):
        """channels: of each convolution; strides: of these, in samples and then in frames of the one before, whose
        product is the samples from one frame to the next (10 ms at 16,000 a second; at 8,000 leave out the last);
        width: a multiple of heads and of 16; reach: frames, an odd number, of the convolution that tells places; depth:
        blocks; heads: of each block's attention.
        """

        channels: int = Field(default=64, ge=4, le=2048)
        strides: Steps = (5, 4, 4, 2)
        width: int = Field(default=128, ge=2, le=8192)
        reach: int = Field(default=31, ge=1, le=511)
        depth: int = Field(default=2, ge=1, le=256)
        heads: int = Field(default=4, ge=1, le=256)

        @field_validator("strides")
        @classmethod
        def _some(cls, strides: Steps) -> Steps:
            if not 1 <= len(strides) <= 12 or not all(1 <= stride <= 64 for stride in strides):
                raise ValueError("one to twelve strides of 1 to 64, such as [5, 4, 4, 2]")
            return strides

    def __init__(self, given: Input, config: Config) -> None:
        super().__init__(given)
        _check(config)
        self.channels, self.width, self.dim = config.channels, config.width, 2 * config.width
        self.strides, self.stride = config.strides, math.prod(config.strides)
        self.frames = -(-given.shape[0] // self.stride)  # of the longest clip
        self.layers = nn.ModuleList(
            _Layer(config.channels if number else 1, config.channels, stride)
            for number, stride in enumerate(config.strides)
        )
        self.widen = nn.Linear(config.channels, config.width)
        self.places = nn.Conv1d(config.width, config.width, config.reach, padding=config.reach // 2, groups=GROUPS)
        self.blocks = TransformerRow(config.width, config.heads, config.depth, causal=False, rotary=False)
        self.norm = nn.LayerNorm(config.width)

    def block_list(self) -> list[nn.Module]:
        """The blocks of the transformer."""
        return list(self.blocks)

    def hear(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Samples `(B, L)` -> frames `(B, T, channels)` and where a clip has one `(B, T)`, at least once in a row.

        Each depends on the samples around it alone, not on how much there is behind a clip's end. T is as many as the
        longest clip of the views has, `frames` at most.
        """
        lengths = lengths_of(views)
        count = self.stride * max(1, -(-_longest(views, lengths) // self.stride))
        maps = F.pad(views[:, :count], (0, max(0, count - views.shape[1])))[:, None]
        step = 1
        for stride, layer in zip(self.strides, self.layers, strict=True):
            step *= stride
            maps = layer(maps)
            maps = maps * _inside(lengths, step, maps.shape[2])[:, None]
        return maps.transpose(1, 2), _inside(lengths, step, maps.shape[2])

    def encode(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Frames `(B, T, width)`, of `widen`, -> `(B, T, width)`; mask: `(B, T)`, where there is one."""
        frames = frames * mask[..., None]
        around = F.gelu(self.places(frames.transpose(1, 2))).transpose(1, 2)
        vectors: Tensor = self.norm(self.blocks(frames + around, mask))
        return vectors

    def pool(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """`(B, T, width)` -> `(B, dim)`."""
        weights = mask.to(vectors.dtype)[..., None]
        count = weights.sum(1)
        mean = (vectors * weights).sum(1) / count
        spread = ((vectors - mean[:, None]).square() * weights).sum(1) / count
        return torch.cat([mean, (spread + 1e-5).sqrt()], 1)

    def forward(self, views: Tensor) -> Tensor:
        """Samples `(B, L)` -> `(B, dim)`; on a CPU clips of like length together."""
        if torch.compiler.is_exporting() or views.device.type != "cpu" or len(views) <= TOGETHER:
            return self._vectors(views)
        order = lengths_of(views).argsort(stable=True)
        return torch.cat([self._vectors(views[rows]) for rows in torch.split(order, TOGETHER)])[order.argsort()]

    def _vectors(self, views: Tensor) -> Tensor:
        frames, mask = self.hear(views)
        return self.pool(self.encode(self.widen(frames), mask), mask)


class _Layer(nn.Module):
    """A convolution of twice its stride, normalized over channels: `(B, C, stride L)` -> `(B, C', L)`."""

    def __init__(self, incoming: int, outgoing: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.convolution = nn.Conv1d(incoming, outgoing, 2 * stride, stride, bias=False)
        self.norm = nn.LayerNorm(outgoing)

    def forward(self, maps: Tensor) -> Tensor:
        before = self.stride // 2
        heard = self.convolution(F.pad(maps, (before, self.stride - before)))
        return F.gelu(self.norm(heard.transpose(1, 2))).transpose(1, 2)


def lengths_of(views: Tensor) -> Tensor:
    """`(B,)` of views `(B, L)`: samples up to the last that is not 0."""
    places = torch.arange(1, views.shape[1] + 1, device=views.device)
    return torch.where(views != 0, places, 0).amax(1)


def _longest(views: Tensor, lengths: Tensor) -> int:
    """Samples of the longest clip; of an exported program, or where an accelerator would wait for it, of the views."""
    return views.shape[1] if torch.compiler.is_exporting() or views.device.type != "cpu" else int(lengths.max())


def _inside(lengths: Tensor, step: int, count: int) -> Tensor:
    """`(B, count)`: which frames `step` samples apart begin in a clip, the first always."""
    starts = torch.arange(count, device=lengths.device) * step
    return starts < lengths[:, None].clamp_min(1)


def _check(config: WaveTransformer.Config) -> None:
    """Raise WinnowError for settings that do not go together."""
    if config.width % config.heads or config.width % GROUPS:
        raise WinnowError(
            f"wave_transformer cannot share a width of {config.width} among {config.heads} heads and {GROUPS} groups "
            "of channels: in pretrain.encoder choose a width that is a multiple of both."
        )
    if config.reach % 2 == 0:
        raise WinnowError(
            f"wave_transformer tells places by as many frames before as behind: set pretrain.encoder.reach to "
            f"{config.reach + 1} in place of {config.reach}."
        )
