"""A residual network that grows without a jump: gated copies of a block, each of which begins as the identity.

Chen, Goodfellow & Shlens 2016 (Net2Net, https://arxiv.org/abs/1511.05641) grow a network so that it computes what it
did; a gate that begins at 0 sees to it for any residual block (Bachlechner et al. 2021, ReZero,
https://arxiv.org/abs/2003.04887).
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

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
    if not (found := _shape_keepers(encoder)):
        return None
    growing = GrowingBlock(found[-1], copies)
    for parent in list(encoder.modules()):
        for name, child in parent.named_children():
            if child is found[-1]:
                setattr(parent, name, growing)
    return growing


def residual_blocks(module: nn.Module) -> Iterator[nn.Module]:
    """The outermost modules that stand in a row and consist of others, input first: the blocks of a deep network."""
    for child in module.children():
        if isinstance(module, nn.Sequential | nn.ModuleList) and not _is_row(child) and any(child.children()):
            yield child
        else:
            yield from residual_blocks(child)


@torch.no_grad()
def _shape_keepers(encoder: Encoder) -> list[nn.Module]:
    found: list[nn.Module] = []

    def look(block: nn.Module, inputs: Any, output: Tensor) -> None:
        if inputs[0].shape == output.shape:
            found.append(block)

    hooks = [block.register_forward_hook(look) for block in residual_blocks(encoder)]
    training = encoder.training
    encoder.eval()(torch.zeros(1, *encoder.shape))
    encoder.train(training)
    for hook in hooks:
        hook.remove()
    return found


def _is_row(module: nn.Module) -> bool:
    return isinstance(module, nn.Sequential | nn.ModuleList)


class _Gated(nn.Module):
    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block, self.gate = block, nn.Parameter(torch.zeros(()))  # a number: no wider type than the rows

    def forward(self, rows: Tensor) -> Tensor:
        gated: Tensor = rows + self.gate * (self.block(rows) - rows)
        return gated
