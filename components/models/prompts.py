"""Visual prompts: what a trained network is shown beside the picture, as tokens or as pixels along its border.

Jia et al. 2022, https://arxiv.org/abs/2203.12119 (tokens, the shallow variant: before the first block alone);
Bahng et al. 2022, https://arxiv.org/abs/2203.17274 (pixels added to the border).
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.errors import WinnowError
from components.models.block_shapes import block_shapes
from components.models.encoders import Encoder

DEVIATION = 0.02  # of new tokens, as of a transformer's own


def add_tokens(encoder: Encoder, count: int) -> None:
    """Let `count` learned tokens go through the transformer's blocks beside those of the picture, and end there."""
    row = _row_of_blocks(encoder)
    if row is None:
        raise WinnowError(
            f"finetune.method prompts: {type(encoder).__name__} has no tokens to put others beside; leave tokens "
            "out, for a border."
        )
    module, width = row
    module.register_parameter("prompts", nn.Parameter(torch.randn(count, width) * DEVIATION))
    module.register_forward_pre_hook(_append)
    module.register_forward_hook(_take_away)
    encoder.additions = encoder.additions.model_copy(update={"tokens": count})


def takes_tokens(encoder: Encoder) -> bool:
    """Whether the encoder has a row of blocks through which tokens go."""
    return _row_of_blocks(encoder) is not None


def add_border(encoder: Encoder, width: int) -> None:
    """Add learned pixels to a border of `width` pixels of each normalized picture; zero at first.

    Raises WinnowError where the border leaves nothing in the middle.
    """
    if 2 * width >= encoder.shape[1]:
        raise WinnowError(
            f"finetune.method.border of {width} pixels leaves nothing of pictures of {encoder.shape[1]}: make it less "
            "than half."
        )
    encoder.border = Border(encoder.shape, width)
    encoder.register_forward_pre_hook(_frame)
    encoder.additions = encoder.additions.model_copy(update={"border": width})


class Border(nn.Module):
    """`(N, C, S, S)` -> the same with the learned frame added; `rows` are above and below, `columns` left and right."""

    def __init__(self, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        channels, side, _ = shape
        self.width = width
        self.rows = nn.Parameter(torch.zeros(channels, 2 * width, side))
        self.columns = nn.Parameter(torch.zeros(channels, side - 2 * width, 2 * width))

    def forward(self, pictures: Tensor) -> Tensor:
        """As the class says."""
        inside = pictures.shape[3] - 2 * self.width
        left, right = self.columns.chunk(2, 2)
        above, below = self.rows.chunk(2, 1)
        middle = torch.cat([F.pad(left, (0, inside)), right], 2)
        return pictures + torch.cat([above, middle, below], 1)


def _row_of_blocks(encoder: Encoder) -> tuple[nn.Module, int] | None:
    """The row of blocks through which tokens `(N, L, width)` go, and their width; None where there is none."""
    found = block_shapes(encoder)
    if not found or any(len(given) != 3 or given != out for _, given, out in found):
        return None
    blocks = [block for block, _, _ in found]
    rows = [module for module in encoder.modules() if list(module.children()) == blocks]
    return (rows[0], found[0][1][2]) if rows else None


def _append(row: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    assert isinstance(row.prompts, Tensor)
    tokens, *others = inputs
    return (torch.cat([tokens, row.prompts.expand(tokens.shape[0], -1, -1)], 1), *others)


def _take_away(row: nn.Module, _: Any, output: Tensor) -> Tensor:
    assert isinstance(row.prompts, Tensor)
    return output[:, : output.shape[1] - len(row.prompts)]


def _frame(encoder: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    assert isinstance(encoder.border, Border)
    pictures, *others = inputs
    return (encoder.border(pictures), *others)
