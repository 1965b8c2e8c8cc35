"""Encoders: one file per network, each turns pictures into vectors and says how long those are."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from components.core.config import Config


class Encoder(nn.Module, ABC):
    """A network constructed as `Name(channels, image_size, config)` by the registry, family `encoder`.

    `shape` is `(C, S, S)`, that of its pictures; it takes smaller ones too, as local views are. `dim` is the length of
    its vectors. Its children, in order, are its layers, input first.
    """

    Config: ClassVar[type[Config]]
    dim: int

    def __init__(self, channels: int, image_size: int) -> None:
        super().__init__()
        self.shape = (channels, image_size, image_size)

    @abstractmethod
    def forward(self, pictures: Tensor) -> Tensor:
        """`(N, C, S, S)` normalized float32 -> `(N, dim)`."""
