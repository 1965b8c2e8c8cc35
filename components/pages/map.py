"""The map of a data set: samples drawn where their vectors lie, so that like stands by like."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

SIDE = 1600  # pixels
MARGIN = 0.03  # of the side
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
    columns, rows = _places(_plane(vectors, seed), cells)
    canvas = Image.new("RGB", (cells * size, cells * size), (PAPER,) * 3)
    for tile, column, row in zip(tiles, columns, rows, strict=True):
        cell = Image.new("RGB", (size, size), (FRAME,) * 3)
        inside = Image.fromarray(DOT if tile is None else np.ascontiguousarray(tile))
        cell.paste(inside.resize((size - 1, size - 1), Image.Resampling.LANCZOS))
        canvas.paste(cell, (int(column) * size, int(row) * size))
    canvas.save(path)


def _plane(vectors: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.float64]:
    """`(M, 2)` in [0, 1]: t-SNE of the vectors by cosine; too few for it are laid out in a row."""
    count = len(vectors)
    if count < 5:
        return np.column_stack([np.linspace(0, 1, count), np.full(count, 0.5)])
    from sklearn.manifold import TSNE

    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    perplexity = min(30, (count - 1) / 3)
    points = TSNE(init="pca", perplexity=perplexity, max_iter=500, random_state=seed, n_jobs=1).fit_transform(unit)
    low, high = np.percentile(points, (0.5, 99.5), axis=0)
    return np.asarray(
        np.clip(MARGIN + (1 - 2 * MARGIN) * (points - low) / np.maximum(high - low, 1e-9), 0, 1), dtype=np.float64
    )


def _places(points: npt.NDArray[np.float64], cells: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Each point's cell of a `cells` x `cells` grid, none twice, the summed squared distance smallest (Hungarian)."""
    from scipy.optimize import linear_sum_assignment

    centers = (np.indices((cells, cells)).reshape(2, -1).T + 0.5) / cells
    distances = ((points[:, None, :] - centers[None, :, :]) ** 2).sum(-1)
    _, chosen = linear_sum_assignment(distances)
    return chosen // cells, chosen % cells
