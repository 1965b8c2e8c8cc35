"""Encoders: one file per network, each turns views into vectors and says how long those are."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from components.core.config import Config
from components.modalities import Input
from components.models.additions import Additions


class Encoder(nn.Module, ABC):
    """A network constructed as `Name(given, config)` by the registry, family `encoder`, `given` being an `Input`.

    takes: the kinds of views it can be given, said in its own file. `shape` is that of one view; it may take smaller
    ones too, as local views of pictures are. `dim` is the length of its vectors. Its children, in order, are its
    layers, input first; an only child's children are, where there is one.

    Where the network is a library's, `library` (torchvision, timm) and `library_model` say which, and `library_names`
    maps beginnings of the weights' names here to those there (see `models/library_names.py`).
    `additions` says what it got after pretraining.
    """

    Config: ClassVar[type[Config]]
    takes: ClassVar[tuple[str, ...]]
    library: str = ""
    library_names: ClassVar[Mapping[str, str]] = {}
    library_model: str = ""
    additions: Additions = Additions()
    dim: int

    def __init__(self, given: Input) -> None:
        super().__init__()
        self.given, self.shape = given, given.shape

    def example(self, count: int = 1) -> Tensor:
        """`(count, *shape)`: views of nothing, on the encoder's device."""
        kind = torch.int64 if self.given.symbols else torch.float32
        return torch.zeros(count, *self.shape, dtype=kind, device=next(self.parameters()).device)

    def block_list(self) -> list[nn.Module]:
        """Those modules of many layers that stand in a row, input first; none where it is no such network."""
        return []

    def measure(self, views: Iterable[Tensor]) -> None:
        """Called once after pretraining, in evaluation without gradient, with training samples as they are, part by
        part: for what is measured on a trained network. By default nothing is, and they are not looked at.
        """

    def library_code(self, library: str) -> list[str]:
        """Lines of Python that make `library`'s own network, as `network`, which takes these weights and no more."""
        raise NotImplementedError(f"{type(self).__name__} is no network of {library}")

    def sentence_parts(self, tokenizer: bytes, length: int) -> tuple[Mapping[str, str], Mapping[str, Any]] | None:
        """What `sentence_folder` is to write, modules and files, for a network that sentence-transformers has too; None
        where it has none that would give these vectors, or those of length 1 in their direction.

        tokenizer: the content of a tokenizer.json; length: of a text, in its entries.
        """
        return None

    @abstractmethod
    def forward(self, views: Tensor) -> Tensor:
        """Views `(N, *shape)` -> `(N, dim)`."""
