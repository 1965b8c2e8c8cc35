"""A small residual network for pictures of few pixels on few cores: two strided convolutions, then three stages.

He et al. 2016, https://arxiv.org/abs/1512.03385. On a CPU the time goes where the pixels are, so the residual stages
see a quarter of each side; a stem of overlapping convolutions keeps what patches lose (Xiao et al. 2021,
https://arxiv.org/abs/2106.14881), and shortcuts pool before they project (He et al. 2019, ResNet-D,
https://arxiv.org/abs/1812.01187).
"""

from collections.abc import Iterable
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.modalities import Input
from components.models.encoders import Encoder
from components.models.whitening import Whitening

SIDE = 16  # of the pictures whose own components are taken, at most

Count = Annotated[int, Field(ge=0, le=64)]


class SmallResnet(Encoder):
    """Stages of `width`, `2 width` and `4 width` channels at 1/4, 1/8 and 1/16 of the sides; `dim` is `4 width`, and
    `pixels` more."""

    takes = ("pixels",)

    class Config(BaseConfig):
        """width: channels of the first stage; blocks: residual blocks of each stage; whiten: after pretraining, the
        vectors' directions are made equally long; pixels: principal components of the picture itself, whitened too,
        that stand beside them.
        """

        width: int = Field(default=32, ge=8, le=1024)
        blocks: tuple[Count, Count, Count] = (1, 1, 1)
        whiten: bool = False
        pixels: int = Field(default=0, ge=0, le=SIDE * SIDE)

        def unused(self) -> dict[str, str]:
            """As the base says."""
            return {"pixels": "whiten is false"} if self.pixels and not self.whiten else {}

    def __init__(self, given: Input, config: Config) -> None:
        super().__init__(given)
        channels = given.shape[0]
        width = config.width
        self.stem = nn.Sequential(*_convolution(channels, width // 2, 2), *_convolution(width // 2, width, 2))
        self.stages = nn.Sequential()
        incoming = width
        for stage, blocks in enumerate(config.blocks):
            for block in range(blocks):
                outgoing = width * 2**stage
                self.stages.append(_Block(incoming, outgoing, stride=2 if stage and not block else 1))
                incoming = outgoing
        self.side = given.shape[1] // -(-given.shape[1] // SIDE)
        self.whitening = Whitening(incoming, incoming) if config.whiten else None
        self.components = Whitening(channels * self.side**2, config.pixels) if config.pixels else None
        self.dim = incoming + config.pixels

    def block_list(self) -> list[nn.Module]:
        """The residual blocks of all stages."""
        return list(self.stages)

    def measure(self, views: Iterable[Tensor]) -> None:
        """As the base says: what whitens the vectors, and the picture's components."""
        if self.whitening is None:
            return
        made = [(F.normalize(self._means(part), dim=1), self._small(part)) for part in views]
        means, small = (torch.cat(parts) for parts in zip(*made, strict=True))
        self.whitening.fit(means)
        if self.components is not None:
            self.components.fit(small)

    def forward(self, pictures: Tensor) -> Tensor:
        """`(N, C, S, S)` -> `(N, dim)`: the mean over the last stage's places; whitened, the components beside it."""
        means = self._means(pictures)
        if self.whitening is None:
            return means
        parts = [self.whitening(F.normalize(means, dim=1))]
        if self.components is not None:
            parts.append(self.components(self._small(pictures)))
        joined: Tensor = torch.cat(parts, dim=1) * means.shape[1] ** 0.5  # no shorter than other networks' vectors
        return joined

    def _means(self, pictures: Tensor) -> Tensor:
        maps: Tensor = self.stages(self.stem(pictures))
        return maps.mean((2, 3))

    def _small(self, pictures: Tensor) -> Tensor:
        """`(N, C, S, S)` -> `(N, C side side)`."""
        return F.adaptive_avg_pool2d(pictures, self.side).flatten(1)


class _Block(nn.Module):
    def __init__(self, incoming: int, outgoing: int, *, stride: int) -> None:
        super().__init__()
        self.convolution1 = nn.Conv2d(incoming, outgoing, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outgoing)
        self.convolution2 = nn.Conv2d(outgoing, outgoing, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outgoing)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut.append(nn.AvgPool2d(stride, ceil_mode=True))
        if incoming != outgoing:
            self.shortcut.append(nn.Conv2d(incoming, outgoing, 1, bias=False))

    def forward(self, maps: Tensor) -> Tensor:
        inner = F.relu(self.norm1(self.convolution1(maps)), inplace=True)
        return F.relu(self.norm2(self.convolution2(inner)) + self.shortcut(maps), inplace=True)


def _convolution(incoming: int, outgoing: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(incoming, outgoing, 3, stride, 1, bias=False)
    return [convolution, nn.BatchNorm2d(outgoing), nn.ReLU(inplace=True)]
