"""The map of a data set: samples drawn where their vectors lie, so that like stands by like."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.pages.plane import plane

SIDE = 1600  # pixels
PAPER, FRAME = 250, 205  # gray levels
DOT = np.full((8, 8, 3), (15, 107, 107), np.uint8)


def draw_map(
    path: Path, tiles: Sequence[npt.NDArray[np.uint8] | None], vectors: npt.NDArray[np.float32], *, seed: int
) -> None:
    """Write a PNG: M small pictures `(h, w, 3)`, or dots, each at the free place of a grid nearest to its vector.

    Where a vector belongs t-SNE says:
    van der Maaten & Hinton 2008. The grid keeps every sample visible: a bare t-SNE covers most of them.
    """
    from PIL import Image

    count = len(tiles)
    cells = math.ceil(math.sqrt(count * 1.6))  # room between the groups
    size = SIDE // cells
    columns, rows = _places(plane(vectors, seed), cells)
    canvas = Image.new("RGB", (cells * size, cells * size), (PAPER,) * 3)
    for tile, column, row in zip(tiles, columns, rows, strict=True):
        cell = Image.new("RGB", (size, size), (FRAME,) * 3)
        inside = Image.fromarray(DOT if tile is None else np.ascontiguousarray(tile))
        cell.paste(inside.resize((size - 1, size - 1), Image.Resampling.LANCZOS))
        canvas.paste(cell, (int(column) * size, int(row) * size))
    canvas.save(path)


def _places(points: npt.NDArray[np.float64], cells: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Each point's cell of a `cells` x `cells` grid, none twice, the summed squared distance smallest (Hungarian)."""
    from scipy.optimize import linear_sum_assignment

    centers = (np.indices((cells, cells)).reshape(2, -1).T + 0.5) / cells
    distances = ((points[:, None, :] - centers[None, :, :]) ** 2).sum(-1)
    _, chosen = linear_sum_assignment(distances)
    return chosen // cells, chosen % cells
