"""A picture of a few lines of text, for kinds of data that have no picture of their own."""

from collections.abc import Sequence
from pathlib import Path

from components.core.files import replacing

DPI = 100
LINE, MARGIN, WIDTH = 22, 30, 1000  # pixels
LONGEST = 120  # characters of a line


def draw_lines(path: Path, lines: Sequence[str]) -> None:
    """Write a PNG, the same bytes for the same lines."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = 2 * MARGIN + LINE * len(lines)
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    for number, line in enumerate(lines):
        text = " ".join(line.replace("$", r"\$").split())
        shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        top = 1 - (MARGIN + LINE * number) / height
        figure.text(MARGIN / WIDTH, top, shown, size=9, va="top", family="DejaVu Sans Mono")
    with replacing(path) as aside:
        figure.savefig(aside, format="png", metadata={"Software": None})
