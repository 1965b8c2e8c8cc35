"""The page of a pretraining: every figure over the epochs, and below, what the method shows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.core.files import replacing
from components.modalities.sheet import mosaic
from components.pages.chart_style import DPI, draw_curve, empty_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Pixels = npt.NDArray[np.uint8]

COLUMNS = 3  # of panels
MARGIN, HEADER, PANEL, CAPTION = 40, 110, 300, 46  # pixels; a panel's height, its labels included
LEAST = 1400  # pixels of the page's width
AXIS, LABELS = 70, 90  # pixels of a panel: left of its axes, above and below them
NOT_DRAWN = ("epoch", "learning_rate")


def draw_learned(
    path: Path, title: str, history: Sequence[Mapping[str, float]], tiles: Mapping[str, Sequence[Pixels | None]]
) -> None:
    """Write a PNG: a panel per figure of the history's rows, then a row of tiles `(h, w, 3)` per caption."""
    rows = {caption: [tile for tile in row if tile is not None] for caption, row in tiles.items()}
    sheets = {caption: mosaic(np.stack(row).transpose(0, 3, 1, 2)[None]) for caption, row in rows.items() if row}
    names = [name for name in history[0] if name not in NOT_DRAWN]
    charts = PANEL * -(-len(names) // COLUMNS)
    width = max([LEAST, *(2 * MARGIN + sheet.shape[1] for sheet in sheets.values())])
    height = HEADER + charts + sum(CAPTION + sheet.shape[0] for sheet in sheets.values()) + MARGIN
    figure = empty_figure(width / DPI, height / DPI, layout=None)
    figure.text(MARGIN / width, 1 - 34 / height, title, size=15, weight="bold", va="top")
    for index, name in enumerate(names):
        row, column = divmod(index, COLUMNS)
        across = (width - 2 * MARGIN) / COLUMNS
        left, bottom = MARGIN + AXIS + column * across, height - HEADER - PANEL * (row + 1) + LABELS
        box = (left / width, bottom / height, (across - AXIS - 20) / width, (PANEL - LABELS - 20) / height)
        draw_curve(
            figure.add_axes(box), name.replace("_", " "), [r["epoch"] for r in history], [r[name] for r in history]
        )
    _set_below(figure, sheets, height - HEADER - charts, (width, height))
    with replacing(path) as aside:
        figure.savefig(aside, format="png", metadata={"Software": None})


def _set_below(figure: "Figure", sheets: Mapping[str, Pixels], top: int, page: tuple[int, int]) -> None:
    """Set the sheets one under the other, pixel by pixel, each under its caption; `top` counts from the bottom."""
    width, height = page
    for caption, sheet in sheets.items():
        figure.text(MARGIN / width, (top - CAPTION + 10) / height, caption, size=10, weight="bold")
        top -= CAPTION + sheet.shape[0]
        figure.figimage(sheet, MARGIN, top)
