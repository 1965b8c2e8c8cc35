"""The report's charts: small ones of matplotlib as data URIs, the same bytes for the same numbers."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from components.modalities.data_uri import data_uri
from components.pages.chart_style import ACCENT, INK, SOFT, WARN, draw_curve, empty_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.floating[Any]]
MOST_NUMBERS = 15  # classes up to which the confusion matrix is written out in numbers


def picture_uri(path: Path) -> str:
    """A PNG file as a data URI."""
    return data_uri(path.read_bytes())


def curve(epochs: Sequence[float], panels: Sequence[tuple[str, Sequence[float]]]) -> str:
    """One small panel per named series over the epochs."""
    figure = empty_figure(4.0 * len(panels), 2.3)
    for index, (title, values) in enumerate(panels, start=1):
        draw_curve(figure.add_subplot(1, len(panels), index), title, epochs, values)
    return _png(figure)


def intervals(rows: Sequence[tuple[str, float, float, float]]) -> str:
    """A line per row: name, value, low, high; all in percent on one axis."""
    figure = empty_figure(4.8, 0.55 + 0.45 * len(rows))
    axes = figure.add_subplot()
    for height, (_, value, low, high) in enumerate(reversed(rows)):
        color = ACCENT if height == len(rows) - 1 else "#7b8a96"
        axes.hlines(height, 100 * low, 100 * high, color=color, linewidth=5, alpha=0.35)
        axes.plot(100 * value, height, "o", color=color, markersize=8)
        axes.annotate(f"{100 * value:.1f}", (100 * value, height), (0, 8), textcoords="offset points", ha="center")
    axes.set_yticks(range(len(rows)), [name for name, *_ in reversed(rows)])
    axes.set_ylim(-0.6, len(rows) - 0.3)
    axes.set_xlabel("% of the test split right")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=SOFT, alpha=0.4, linewidth=0.6)
    return _png(figure)


def gains(rows: Sequence[tuple[str, float, float, float]]) -> str:
    """A line per row: name, difference of accuracies, low, high; in points, with the line where nothing differs."""
    figure = empty_figure(4.8, 0.75 + 0.4 * len(rows))
    axes = figure.add_subplot()
    for height, (_, value, low, high) in enumerate(reversed(rows)):
        color = WARN if high < 0 else ACCENT if low > 0 else "#7b8a96"
        axes.hlines(height, 100 * low, 100 * high, color=color, linewidth=5, alpha=0.35)
        axes.plot(100 * value, height, "o", color=color, markersize=8)
    axes.axvline(0, color=INK, linewidth=0.8, linestyle="--")
    axes.set_yticks(range(len(rows)), [name for name, *_ in reversed(rows)])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("points of accuracy gained")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return _png(figure)


def confidence_histogram(confidence: Floats, accepted: npt.NDArray[np.bool_]) -> str:
    """How sure the pseudo-labels are: accepted on top of those set aside."""
    figure = empty_figure(4.6, 2.4)
    axes = figure.add_subplot()
    low = min(float(confidence.min()), 0.9)
    axes.hist(
        [confidence[accepted], confidence[~accepted]],
        bins=np.linspace(low, 1.0, 31).tolist(),
        stacked=True,
        color=[ACCENT, SOFT],
        label=["accepted", "set aside"],
    )
    axes.set_xlabel("confidence")
    axes.set_ylabel("how many")
    axes.legend(frameon=False, loc="upper left")
    return _png(figure)


def confusion_matrix(counts: npt.NDArray[np.int64], classes: Sequence[str]) -> str:
    """`(K, K)` counts, row actual, column predicted; shaded by share of the row, so that rare classes show too."""
    side = min(9.0, max(3.4, 1.4 + 0.42 * len(classes)))
    figure = empty_figure(side, side)
    axes = figure.add_subplot()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(np.sqrt(shares), cmap="GnBu", vmin=0, vmax=1.25)
    if len(classes) <= MOST_NUMBERS:
        for row, column in np.argwhere(counts):
            color = "white" if shares[row, column] > 0.5 else INK
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=color, fontsize=8)
    long = max(len(name) for name in classes) > 3
    step = max(1, len(classes) // 40)
    ticks = range(0, len(classes), step)
    names = [_short(classes[index]) for index in ticks]
    axes.set_xticks(ticks, names, rotation=90 if long else 0)
    axes.set_yticks(ticks, names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return _png(figure)


def reliability_diagram(bins: Sequence[tuple[float, float, int]]) -> str:
    """Accuracy against confidence; a dot per bin, its area the share of samples; on the line is perfect."""
    figure = empty_figure(4.0, 3.8)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1.2, linestyle="--")
    total = sum(count for *_, count in bins)
    for confidence, accuracy, count in bins:
        color = ACCENT if accuracy >= confidence else WARN
        axes.plot([confidence, confidence], [confidence, accuracy], color=color, linewidth=1.2, alpha=0.6)
        size = 20 + 380 * count / total
        axes.scatter([confidence], [accuracy], s=size, color=color, alpha=0.75, linewidths=0, clip_on=False)
    axes.set_xlim(0, 1.03)
    axes.set_ylim(0, 1.03)
    axes.set_xlabel("confidence")
    axes.set_ylabel("share right")
    return _png(figure)


def _png(figure: "Figure") -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return data_uri(buffer.getvalue())


def _short(name: str) -> str:
    return name if len(name) <= 14 else name[:13] + "…"
