"""Pictures cut into square patches, and put together again."""

from torch import Tensor


def cut(pictures: Tensor, side: int) -> Tensor:
    """`(N, C, S, S)` -> `(N, L, C, side, side)`, row by row, for a `side` that divides S."""
    count, channels, size, _ = pictures.shape
    grid = size // side
    parts = pictures.reshape(count, channels, grid, side, grid, side)
    return parts.permute(0, 2, 4, 1, 3, 5).reshape(count, grid * grid, channels, side, side)


def join(patches: Tensor) -> Tensor:
    """What `cut` makes of `(N, C, S, S)`, back to it."""
    count, places, channels, side, _ = patches.shape
    grid = round(places**0.5)
    parts = patches.reshape(count, grid, grid, channels, side, side)
    return parts.permute(0, 3, 1, 4, 2, 5).reshape(count, channels, grid * side, grid * side)
