"""A small residual convolutional network for log-mel frames, blind to what is behind a clip's end.

Residual blocks as in He et al. 2016, https://arxiv.org/abs/1512.03385, over time, with the bands as channels; a clip's
vector is the mean and the largest of each channel over its frames.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.modalities import Input
from components.models.encoders import Encoder


class MelNetwork(Encoder):
    """Blocks of `width`, then twice as many channels at a half, then an eighth of the frames; `dim` is `4 width`."""

    takes = ("log_mel",)

    class Config(BaseConfig):
        """width: channels of the first blocks; blocks: how many there are of each kind."""

        width: int = Field(default=96, ge=8, le=2048)
        blocks: tuple[int, int] = (1, 1)

    def __init__(self, given: Input, config: Config) -> None:
        super().__init__(given)
        width, (first, second) = config.width, config.blocks
        self.stem = nn.Conv1d(given.shape[0], width, 5, 2, 2, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.stages = nn.ModuleList(_Block(width, width, 1) for _ in range(first))
        for number in range(second):
            self.stages.append(_Block(width * (2 if number else 1), 2 * width, 1 if number else 2))
        self.dim = 2 * width * (2 if second else 1)

    def block_list(self) -> list[nn.Module]:
        """The residual blocks."""
        return list(self.stages)

    def forward(self, views: Tensor) -> Tensor:
        """`(N, bands, T)` -> `(N, dim)`; frames of 0 alone, as behind a clip's end, count for nothing."""
        inside = (views != 0).any(1, keepdim=True)[:, :, ::2].to(views.dtype)
        maps = F.relu(self.norm(self.stem(views))) * inside
        for block in self.stages:
            maps, inside = block(maps, inside)
        mean = maps.sum(2) / inside.sum(2).clamp(min=1)
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
