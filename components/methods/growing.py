"""A residual network that grows without a jump: gated copies of a block, each of which begins as the identity.

Chen, Goodfellow & Shlens 2016 (Net2Net, https://arxiv.org/abs/1511.05641) grow a network so that it computes what it
did; a gate that begins at 0 sees to it for any residual block (Bachlechner et al. 2021, ReZero,
https://arxiv.org/abs/2003.04887).
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from components.models.block_shapes import block_shapes
from components.models.encoders import Encoder


class GrowingBlock(nn.Module):
    """A residual block, and behind it those of its copies that are in use: none at first."""

    def __init__(self, block: nn.Module, copies: int) -> None:
        super().__init__()
        self.block, self.grown = block, 0
        self.copies = nn.ModuleList(_Gated(deepcopy(block)) for _ in range(copies))
        self.grow(0)

    def grow(self, copies: int) -> None:
        """From now on the first so many are in use and learn, and the others do not."""
        self.grown = copies
        for number, copy in enumerate(self.copies):
            copy.requires_grad_(number < copies)

    def forward(self, rows: Tensor) -> Tensor:
        """Of the shape that comes in."""
        rows = self.block(rows)
        for copy in list(self.copies)[: self.grown]:
            rows = copy(rows)
        return rows


def make_growing(encoder: Encoder, copies: int) -> GrowingBlock | None:
    """Let the encoder grow by as many copies of its last block that keeps a shape; None where it has no such block."""
    if not (found := [block for block, given, out in block_shapes(encoder) if given == out]):
        return None
    growing = GrowingBlock(found[-1], copies)
    for parent in list(encoder.modules()):
        for name, child in parent.named_children():
            if child is found[-1]:
                setattr(parent, name, growing)
    return growing


class _Gated(nn.Module):
    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block, self.gate = block, nn.Parameter(torch.zeros(()))  # a number: no wider type than the rows

    def forward(self, rows: Tensor) -> Tensor:
        gated: Tensor = rows + self.gate * (self.block(rows) - rows)
        return gated
