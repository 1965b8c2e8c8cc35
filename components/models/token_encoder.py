"""Encoders of texts: each splits in two, tokens that know their words, and vectors that saw each other."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from components.modalities import Input
from components.models.encoders import Encoder

Sees = Literal["all", "before", "halves", "itself"]
TOGETHER = 16  # texts of like length that go through a network at once on a CPU


class TokenEncoder(Encoder):
    """An encoder of numbers of words `(N, T)`, 0 behind a text's end, that says how it comes to a text's vector.

    What methods that foretell words ask for: `embed`, `encode`, `table`, and what a vector has seen.
    table: `(V, W)` a vector of each word; width: of what `encode` gives, W' (also where `dim` is another).
    sees: what each of those vectors knows of its text: `all` of it; `before`, the word itself and those before it;
    `halves`, its first half that, its second half the word itself and those behind it; `itself`, nothing else.
    """

    takes = ("tokens",)
    table: nn.Embedding
    width: int
    sees: Sees

    def __init__(self, given: Input) -> None:
        super().__init__(given)

    @abstractmethod
    def embed(self, views: Tensor) -> Tensor:
        """Numbers `(B, L)` -> tokens `(B, L, d)` that know their words, and their places where those count."""

    @abstractmethod
    def encode(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Tokens `(B, L, d)` -> `(B, L, width)`; mask: `(B, L)`, true where there is one, at least once in a row."""

    @abstractmethod
    def pool(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """What `encode` gives `(B, L, width)` -> a vector `(B, dim)` of each text."""

    def forward(self, views: Tensor) -> Tensor:
        """Numbers `(B, L)` -> `(B, dim)`."""
        return by_length(lambda part, _: self.pool(self.encode(self.embed(part), known(part)), known(part)), views)

    def read(self, views: Tensor) -> Tensor:
        """Numbers `(B, L)` -> `(B, L, width)`, a vector of each word of each text; anything behind a text's end."""

        def padded(part: Tensor, _: Tensor) -> Tensor:
            return F.pad(self.encode(self.embed(part), known(part)), (0, 0, 0, views.shape[1] - part.shape[1]))

        return by_length(padded, views)


def known(views: Tensor) -> Tensor:
    """`(B, L)`: where a text's words are; the first place of an empty text, for attention to have something."""
    mask = views != 0
    mask[:, 0] = True
    return mask


def by_length(run: Callable[[Tensor, Tensor], Tensor], views: Tensor) -> Tensor:
    """`run(views, rows)`, texts of like length together on a CPU, where what stands behind their ends costs the same.

    views: `(B, L)`; run: of `(b, l)` and which `(b,)` of the texts these are, to `(b, ...)`, of each text what does not
    depend on the others or on padding.
    """
    order = (views != 0).sum(1).argsort(stable=True)
    if views.device.type != "cpu" or len(views) <= TOGETHER:
        return run(views[:, : _longest(views)], torch.arange(len(views), device=views.device))
    parts = [run(views[rows, : _longest(views[rows])], rows) for rows in torch.split(order, TOGETHER)]
    return torch.cat(parts)[order.argsort()]


def _longest(views: Tensor) -> int:
    return max(1, int((views != 0).sum(1).max())) if views.device.type == "cpu" else views.shape[1]
