"""How many samples at a time: large ones fewer, as what the layers make of them is held in memory together."""

import math

from torch import nn

NUMBERS, FEWEST, MOST = 3 * 2**21, 16, 512  # numbers, and samples, of a batch: 512 pictures of 64 pixels in color


def at_once(encoder: nn.Module) -> int:
    """As many samples as have `NUMBERS` numbers."""
    return looked_at(getattr(encoder, "shape", None) or (1,), MOST, FEWEST)


def looked_at(shape: tuple[int, ...], wanted: int, least: int) -> int:
    """Of `wanted` samples, each of `shape`, as many as have `NUMBERS` numbers, but `least`."""
    return min(wanted, max(least, NUMBERS // math.prod(shape)))
