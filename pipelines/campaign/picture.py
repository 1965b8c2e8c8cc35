"""The picture of a campaign: each strategy's learning curve, and what it gains on random, with intervals over seeds."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.files import replacing
from components.pages.chart_style import ACCENT, INK, SOFT, STYLE, WARN
from pipelines.campaign.curves import Curve, Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRAY = "#7b8a96"
COLORS = (ACCENT, WARN, "#4a5fb0", "#a8326e", "#6b7a1f", "#8a5a2b")


def draw_curves(path: Path, found: list[Curve], *, title: str) -> None:
    """Write a PNG, the same bytes for the same curves; the first curve is the one all others are held against."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10, 4.2), dpi=144, layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
        colors = [GRAY, *(COLORS[index % len(COLORS)] for index in range(len(found) - 1))]
        for curve, color in zip(found, colors, strict=True):
            _line(left, curve, [step.accuracy for step in curve.steps], color)
            gains = [step.gain for step in curve.steps if step.gain is not None]
            if gains:
                _line(right, curve, [_percent(gain) for gain in gains], color)
        right.axhline(0, color=GRAY, linewidth=1.6, linestyle=(0, (4, 3)), zorder=1)
        _name_ends(left, found, colors)
        _dress(left, found, "accuracy on the test split", "Accuracy")
        _dress(right, found, "percentage points", "Gain on random, same seed")
        with replacing(path) as aside:
            figure.savefig(aside, format="png", metadata={"Software": None})


def _line(axes: "Axes", curve: Curve, values: Sequence[Estimate], color: str) -> None:
    """The means as a line, their intervals as a band."""
    labels = [step.labels for step in curve.steps]
    axes.plot(labels, [value.mean for value in values], color=color, linewidth=1.8, marker="o", markersize=4, zorder=3)
    bands = [(value.low, value.high) for value in values if value.low is not None and value.high is not None]
    if bands:
        lows, highs = zip(*bands, strict=True)
        axes.fill_between(labels, lows, highs, color=color, alpha=0.08, linewidth=0, zorder=2)
        for ends in (lows, highs):  # where bands overlap, their edges tell them apart
            axes.plot(labels, ends, color=color, linewidth=0.8, alpha=0.6, zorder=2)


def _percent(value: Estimate) -> Estimate:
    ends = [None if end is None else 100 * end for end in (value.low, value.high)]
    return Estimate(100 * value.mean, *ends)


def _name_ends(axes: "Axes", found: list[Curve], colors: list[str]) -> None:
    """Each curve's name where it ends, pushed apart so that none covers another."""
    low, high = axes.get_ylim()
    gap = 0.055 * (high - low)
    ends = sorted((curve.steps[-1].accuracy.mean, number) for number, curve in enumerate(found))
    heights: list[float] = []
    for value, _ in ends:
        heights.append(max(value, heights[-1] + gap) if heights else value)
    lift = sum(heights) / len(heights) - sum(value for value, _ in ends) / len(ends)
    beside = axes.get_yaxis_transform()  # x in widths of the axes, y in accuracy
    for height, (_, number) in zip(heights, ends, strict=True):
        style: dict[str, Any] = {"color": colors[number], "fontweight": "bold", "va": "center"}
        axes.text(1.02, height - lift, found[number].strategy, transform=beside, **style)


def _dress(axes: "Axes", found: list[Curve], unit: str, title: str) -> None:
    axes.set_title(title)
    axes.set_xlabel("labels asked for, validation included")
    axes.set_ylabel(unit)
    axes.set_xticks([step.labels for step in found[0].steps])
    axes.grid(axis="y", color=SOFT, alpha=0.4, linewidth=0.6)
