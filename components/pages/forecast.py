"""The picture of `winnow plan`: accuracy over labels as measured, and where it goes, with its interval."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from components.core.files import replacing
from components.judging.learning_curve import CONFIDENCE, LearningCurve
from components.pages.chart_style import ACCENT, INK, SOFT, WARN, empty_figure

BEYOND, FURTHEST = 1.3, 30  # how far the picture goes beyond what is needed, at most so many times the labels


def draw_forecast(
    path: Path, curve: LearningCurve, *, labels: int, target: float, rounds: Sequence[tuple[int, float]]
) -> None:
    """Write the drawing (PNG). labels: that there are; rounds: labels and accuracy after each round of questions."""
    needed = curve.needed(target)[0]
    end = min(max(BEYOND * needed if np.isfinite(needed) else 0.0, 4.0 * labels), FURTHEST * labels)
    ahead = np.geomspace(curve.sizes[0], end, 120)
    middle, low, high = np.array([curve.at(one) for one in ahead]).T
    figure = empty_figure(7.2, 4.0)
    axes = figure.add_subplot()
    axes.fill_between(ahead, low, high, color=ACCENT, alpha=0.16, linewidth=0, label=f"{CONFIDENCE:.0%} interval")
    axes.plot(ahead, middle, color=ACCENT, linewidth=1.8, label="inverse power law")
    axes.plot(curve.sizes, curve.accuracy, "o", color=INK, markersize=5, label="measured on labels left out")
    if rounds:
        counts, accuracies = zip(*rounds, strict=True)
        axes.plot(counts, accuracies, "D", color=WARN, markersize=5, label="after each round, on later rounds")
    axes.axhline(target, color=INK, linewidth=0.8, linestyle="--")
    axes.axvline(labels, color=SOFT, linewidth=0.8)
    axes.annotate("now", (labels, low.min()), (4, 2), textcoords="offset points", color=INK)
    axes.annotate(f"{target:g}", (ahead[0], target), (2, 3), textcoords="offset points", color=INK)
    axes.set_xscale("log")
    ticks = [one for one in _round_numbers() if ahead[0] <= one <= end]
    axes.set_xticks(ticks, [f"{one:,}" for one in ticks])
    axes.minorticks_off()
    axes.set_xlabel("labels")
    axes.set_ylabel("accuracy")
    axes.grid(axis="y", color=SOFT, alpha=0.4, linewidth=0.6)
    axes.legend(frameon=False, loc="lower right")
    with replacing(path) as aside:
        figure.savefig(aside, format="png", metadata={"Software": None})


def _round_numbers() -> list[int]:
    return [step * 10**power for power in range(9) for step in (1, 2, 5)]
