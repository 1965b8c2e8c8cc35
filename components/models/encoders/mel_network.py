"""A small residual convolutional network for log-mel frames, blind to what is behind a clip's end.

Residual blocks as in He et al. 2016, https://arxiv.org/abs/1512.03385, over time, with the bands as channels; a clip's
vector is the mean and the largest of each channel over its frames.
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.modalities import Input
from components.models.encoders import Encoder

STRIDE = 4  # frames of one step of the last layers


class MelNetwork(Encoder):
    """Blocks of `width` channels at half of the frames, then of twice as many at a quarter; `dim` is `4 width`."""

    takes = ("log_mel",)

    class Config(BaseConfig):
        """width: channels of the first blocks; blocks: how many there are of each kind."""

        width: int = Field(default=96, ge=8, le=2048)
        blocks: tuple[Annotated[int, Field(ge=0, le=64)], Annotated[int, Field(ge=1, le=64)]] = (1, 1)

    def __init__(self, given: Input, config: Config) -> None:
        super().__init__(given)
        width, (first, second) = config.width, config.blocks
        self.stem = nn.Conv1d(given.shape[0], width, 5, 2, 2, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.stages = nn.ModuleList(_Block(width, width, 1) for _ in range(first))
        for number in range(second):
            self.stages.append(_Block(2 * width if number else width, 2 * width, 1 if number else 2))
        self.dim = 4 * width

    def block_list(self) -> list[nn.Module]:
        """The residual blocks."""
        return list(self.stages)

    def forward(self, views: Tensor) -> Tensor:
        """`(N, bands, T)` -> `(N, dim)`; frames of 0 alone, as behind a clip's end, count for nothing."""
        inside = (views != 0).any(1)
        if torch.compiler.is_exporting():
            return _pooled(*self._maps(views, inside[:, None]))
        frames, room = _end_to_end(views, inside)
        maps, kept = self._maps(frames, (frames != 0).any(1, keepdim=True))
        places = room[:, ::STRIDE]
        apart = maps.new_zeros(*places.shape, maps.shape[1])
        apart[places] = maps[0].T
        own = kept.new_zeros(places.shape)
        own[places] = kept[0, 0]
        return _pooled(apart.transpose(1, 2), own[:, None])

    def _maps(self, views: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """Frames `(B, bands, T)`, and where there are any `(B, 1, T)`, to channels of a quarter of them and where."""
        kept = inside[:, :, ::2].to(views.dtype)
        maps = F.relu(self.norm(self.stem(views))) * kept
        for block in self.stages:
            maps, kept = block(maps, kept)
        return maps, kept


def _end_to_end(views: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Clips `(N, bands, T)` as one row `(1, bands, S)`, so that what is behind their ends costs nothing, and which
    frames `(N, T')` these are. Each begins where a stride does, after as many frames of 0 as a layer looks beyond.
    """
    times = -(-views.shape[2] // STRIDE) * STRIDE + STRIDE
    places = torch.arange(1, views.shape[2] + 1, device=views.device)
    lengths = (inside * places).amax(1)
    room = torch.arange(times, device=views.device) < ((lengths + STRIDE - 1) // STRIDE * STRIDE + STRIDE)[:, None]
    whole = F.pad(views, (0, times - views.shape[2]))
    return whole.transpose(1, 2)[room].T[None], room


def _pooled(maps: Tensor, kept: Tensor) -> Tensor:
    mean = maps.sum(2) / kept.sum(2).clamp(min=1)
    return torch.cat([mean, maps.amax(2)], 1)


class _Block(nn.Module):
    def __init__(self, incoming: int, outgoing: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.convolution1 = nn.Conv1d(incoming, outgoing, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm1d(outgoing)
        self.convolution2 = nn.Conv1d(outgoing, outgoing, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(outgoing)
        self.shortcut = nn.Conv1d(incoming, outgoing, 1, stride, bias=False) if incoming != outgoing else nn.Identity()

    def forward(self, maps: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """Channels `(N, C, T)` and where a clip is `(N, 1, T)`, to the same of fewer frames."""
        kept = inside[:, :, :: self.stride]
        inner = F.relu(self.norm1(self.convolution1(maps))) * kept
        return F.relu(self.norm2(self.convolution2(inner)) + self.shortcut(maps)) * kept, kept
