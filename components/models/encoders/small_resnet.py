"""A small residual network for pictures of few pixels on few cores: two strided convolutions, then three stages.

He et al. 2016, https://arxiv.org/abs/1512.03385. On a CPU the time goes where the pixels are, so the residual stages
see a quarter of each side; a stem of overlapping convolutions keeps what patches lose (Xiao et al. 2021,
https://arxiv.org/abs/2106.14881), and shortcuts pool before they project (He et al. 2019, ResNet-D,
https://arxiv.org/abs/1812.01187).
"""

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.modalities import Input
from components.models.encoders import Encoder

Count = Annotated[int, Field(ge=0, le=64)]


class SmallResnet(Encoder):
    """Stages of `width`, `2 width` and `4 width` channels at 1/4, 1/8 and 1/16 of the sides; `dim` is `4 width`."""

    takes = ("pixels",)

    class Config(BaseConfig):
        """width: channels of the first stage; blocks: residual blocks of each stage."""

        width: int = Field(default=32, ge=8, le=1024)
        blocks: tuple[Count, Count, Count] = (1, 1, 1)

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
        self.dim = incoming

    def block_list(self) -> list[nn.Module]:
        """The residual blocks of all stages."""
        return list(self.stages)

    def forward(self, pictures: Tensor) -> Tensor:
        """`(N, C, S, S)` -> `(N, 4 width)`: the mean over the last stage's places."""
        maps: Tensor = self.stages(self.stem(pictures))
        return maps.mean((2, 3))


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
