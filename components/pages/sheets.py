"""Small pictures of many samples on a few sheets, each sheet one address that holds the whole file."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

CELL = 32  # pixels of a small picture's side, at most
EACH = 32  # small pictures in a row of a sheet, and rows
MOST = 8 * 2**20  # bytes of all sheets
Tile = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Sheets:
    """uris: the sheets; cell: pixels of a place's side; place: `(N,)`, counted over all sheets row by row; -1: none."""

    uris: list[str]
    cell: int
    place: npt.NDArray[np.int32]


def sheets(tile: Callable[[int], Tile | None], order: npt.NDArray[np.int64]) -> Sheets:
    """Of the rows in `order` as many as fit into `MOST` bytes. tile: the `(h, w, 3)` of a row; None: there is none.

    WebP, with loss: they are for a glance.
    """
    from PIL import Image

    place, uris, used = np.full(len(order), -1, np.int32), list[str](), 0
    first = tile(int(order[0])) if len(order) else None
    if first is None:
        return Sheets([], CELL, place)
    cell, on_sheet = min(CELL, max(first.shape[:2])), EACH * EACH
    for start in range(0, len(order), on_sheet):
        rows = order[start : start + on_sheet]
        lines = EACH if len(order) > on_sheet else -(-len(rows) // EACH)
        sheet = Image.new("RGB", (EACH * cell, lines * cell), (128,) * 3)
        for number, row in enumerate(rows):
            small = _small(tile(int(row)), cell)
            sheet.paste(small, (number % EACH * cell, number // EACH * cell))
        file = io.BytesIO()
        sheet.save(file, format="WEBP", quality=70, method=4)
        used += len(file.getvalue())
        if used > MOST:
            break
        place[rows] = start + np.arange(len(rows), dtype=np.int32)
        uris.append("data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii"))
    return Sheets(uris, cell, place)


def _small(tile: Tile | None, cell: int) -> "Picture":
    from PIL import Image, ImageOps

    assert tile is not None  # a kind has tiles or has none
    picture = Image.fromarray(np.ascontiguousarray(tile))
    return picture if picture.size == (cell, cell) else ImageOps.pad(picture, (cell, cell), color=(128,) * 3)
