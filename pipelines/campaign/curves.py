"""Learning curves over seeds: means with intervals, each strategy's paired difference to random, area and table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and its Student's t interval; low and high are None for a single seed."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Step:
    """One strategy at one budget. gain: accuracy minus random's of the same seed; None for random itself."""

    strategy: str
    labels: int
    accuracy: Estimate
    gain: Estimate | None


@dataclass(frozen=True)
class Curve:
    """One strategy. area: accuracy averaged over the budgets from first to last; area_gain: minus random's, by seed."""

    strategy: str
    steps: list[Step]
    area: Estimate
    area_gain: Estimate | None

    @property
    def verdict(self) -> str:
        """One sentence: what the campaign says of this strategy."""
        gain = self.area_gain
        assert gain is not None
        if gain.low is None or gain.high is None:
            return f"{self.strategy}: {_points(gain)} points on average; one seed says nothing about chance."
        better = "better than random" if gain.low > 0 else "worse than random" if gain.high < 0 else "undecided"
        return f"{self.strategy}: {better}, {_points(gain)} points on average over the budgets."


def estimate(values: Sequence[float], *, lowest: float) -> Estimate:
    """Mean of one value per seed, and its 95 % interval within `lowest` to 1, which is all there can be."""
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return Estimate(mean, None, None)
    from scipy.stats import t

    margin = float(t.ppf((1 + CONFIDENCE) / 2, count - 1) * np.std(values, ddof=1) / count**0.5)
    return Estimate(mean, max(lowest, mean - margin), min(1.0, mean + margin))


def curves(points: pd.DataFrame, baseline: str) -> list[Curve]:
    """One curve per strategy in order of appearance; `points` has strategy, seed, labels, accuracy; all seeds whole."""
    grids = {
        str(name): rows.pivot_table(index="seed", columns="labels", values="accuracy")
        for name, rows in points.groupby("strategy", sort=False)
    }
    return [_curve(name, grid, None if name == baseline else grids[baseline]) for name, grid in grids.items()]


def table(found: list[Curve]) -> str:
    """Markdown that also reads well as it stands: every budget with every strategy, then the area, then verdicts."""
    rows = [("labels", "strategy", "accuracy", "against random, points")]
    first, *later = range(len(found[0].steps))
    rows.append((str(found[0].steps[first].labels), "all", _share(found[0].steps[first].accuracy), ""))
    for index in later:
        steps = [curve.steps[index] for curve in found]
        rows += _block(str(steps[0].labels), [(step.strategy, step.accuracy, step.gain) for step in steps])
    rows += _block("average", [(curve.strategy, curve.area, curve.area_gain) for curve in found])
    verdicts = "\n".join(f"- {curve.verdict}" for curve in found if curve.area_gain is not None)
    return f"{_aligned(rows)}\n\n{verdicts}\n"


def _curve(name: str, grid: pd.DataFrame, baseline: pd.DataFrame | None) -> Curve:
    accuracies = [estimate(grid[labels].tolist(), lowest=0) for labels in grid.columns]
    gains: list[Estimate | None] = [None] * len(accuracies)
    area_gain = None
    if baseline is not None:
        paired = grid - baseline
        gains = [estimate(paired[labels].tolist(), lowest=-1) for labels in grid.columns]
        area_gain = estimate(_areas(paired), lowest=-1)
    triples = zip(grid.columns, accuracies, gains, strict=True)
    steps = [Step(name, int(labels), accuracy, gain) for labels, accuracy, gain in triples]
    return Curve(name, steps, estimate(_areas(grid), lowest=0), area_gain)


def _areas(grid: pd.DataFrame) -> list[float]:
    """Per seed the area under the curve (trapezoids), divided by its width: an average over the budgets."""
    labels = grid.columns.to_numpy(float)
    return [float(np.trapezoid(row, labels) / (labels[-1] - labels[0])) for row in grid.to_numpy(float)]


def _block(label: str, entries: Iterable[tuple[str, Estimate, Estimate | None]]) -> list[tuple[str, str, str, str]]:
    return [
        (label if index == 0 else "", name, _share(value), _points(gain) if gain else "")
        for index, (name, value, gain) in enumerate(entries)
    ]


def _share(value: Estimate) -> str:
    return f"{value.mean:.4f}" + ("" if value.low is None else f" ({value.low:.4f} to {value.high:.4f})")


def _points(gain: Estimate) -> str:
    ends = "" if gain.low is None or gain.high is None else f" ({100 * gain.low:+.2f} to {100 * gain.high:+.2f})"
    return f"{100 * gain.mean:+.2f}{ends}"


def _aligned(rows: list[tuple[str, str, str, str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    cells = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], rule, *lines[1:]])
