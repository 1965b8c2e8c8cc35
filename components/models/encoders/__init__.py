"""Encoders: one file per network, each turns pictures into vectors and says how long those are."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from components.core.config import Config
from components.models.additions import Additions


class Encoder(nn.Module, ABC):
    """A network constructed as `Name(channels, image_size, config)` by the registry, family `encoder`.

    `shape` is `(C, S, S)`, that of its pictures; it takes smaller ones too, as local views are. `dim` is the length of
    its vectors. Its children, in order, are its layers, input first; an only child's children are, where there is one.

    Where the network is a library's, `library` (torchvision, timm) and `library_model` say which, and `library_names`
    maps beginnings of the weights' names here to those there (see `models/library_names.py`).
    `additions` says what it got after pretraining.
    """

    Config: ClassVar[type[Config]]
    library: ClassVar[str] = ""
    library_names: ClassVar[Mapping[str, str]] = {}
    library_model: str = ""
    additions: Additions = Additions()
    dim: int

    def __init__(self, channels: int, image_size: int) -> None:
        super().__init__()
        self.shape = (channels, image_size, image_size)

    def library_code(self, library: str) -> list[str]:
        """Lines of Python that make `library`'s own network, as `network`, which takes these weights and no more."""
        raise NotImplementedError(f"{type(self).__name__} is no network of {library}")

    @abstractmethod
    def forward(self, pictures: Tensor) -> Tensor:
        """`(N, C, S, S)` normalized float32 -> `(N, dim)`."""
