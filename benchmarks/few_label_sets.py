"""Prediction sets from few labels on fixed vectors: measured coverage beside the stated one, before and after.

`python -m benchmarks.few_label_sets --root FOLDER --home FOLDER` (`--worlds`, `--labels`, `--seeds`, `--first` choose;
`--save` keeps the figures for docs/methods.md). Twenty draws of 20, 40 and 100 labels each (`benchmarks/_replayed.py`),
90 % stated. Before: a class is in where its score allows it, and a label that no fold can hold out counts for nothing.
SemiCP: with unlabeled scores. Below: draws whose coverage lies under what so many held-out labels allow, 97.5 times of
100, where the theory holds (beta-binomial, Vovk 2012). Imagenette: photos of 128 pixels, EfficientNet-Lite0 as given,
which knows these classes.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._pipeline import keep
from benchmarks._replayed import Draw, Frozen, Replayed, replayed
from benchmarks._worlds import world
from benchmarks.self_supervised import RESULTS
from components.judging.calibration import apply_temperature
from components.models.prediction_sets import SetSettings, calibrate, members

PATH, COVERAGE = RESULTS / "few_label_sets.json", 0.9
WORLDS = ("digits", "fashion", "photos")
NAMES = {"digits": "digits", "fashion": "Fashion-MNIST", "photos": "Imagenette"}
WAYS = ("before", "after", "semicp")
Flags = npt.NDArray[np.bool_]


def main() -> None:
    """Run what the command line asks for; a line of JSON for each cell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.few_label_sets", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps vectors and draws")
    parser.add_argument("--worlds", type=lambda text: text.split(","), default=list(WORLDS))
    parser.add_argument("--first", type=lambda text: text.split(","), default=["k_medoids"])
    parser.add_argument("--labels", type=lambda text: [int(count) for count in text.split(",")], default=[20, 40, 100])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    asked = parser.parse_args()
    for name in asked.worlds:
        frozen = Frozen(world(name, asked.root, asked.home / "worlds"))
        for first in asked.first:
            for labels in asked.labels:
                draws = [Draw(labels, seed, first) for seed in range(asked.seeds)]
                runs = [measured(frozen, replayed(frozen, draw, asked.home / "kept")) for draw in draws]
                figures = summed(runs)
                print(json.dumps({f"{name}/{first}/{labels}": figures}), flush=True)
                if asked.save:
                    keep(PATH, [name, first, labels], figures)


def measured(frozen: Frozen, run: Replayed) -> dict[str, dict[str, float]]:
    """Of the candidate's sets, by way: `coverage`, `size`, `empty`, `single`; `low`: the least that theory allows."""
    actual, truth = run.actual[run.held], frozen.classes[frozen.test]
    out, said, test = (apply_temperature(rows[0], run.temperatures[0]) for rows in (run.out, run.said, run.test))
    never = len(run.actual) - len(run.held)
    found = {"before": _before(out, actual, test)}
    for way, unlabeled in (("after", None), ("semicp", said)):
        settings = SetSettings(coverage=COVERAGE, unlabeled=unlabeled is not None)
        found[way] = members(test, calibrate(out, actual, settings, never=never, unlabeled=unlabeled))
    low = _low(len(actual), len(truth))
    right = float((test.argmax(1) == truth).mean())
    return {way: {**_figures(inside, truth), "low": low, "accuracy": right} for way, inside in found.items()}


def summed(runs: list[dict[str, dict[str, float]]]) -> dict[str, Any]:
    """Means over the draws, the least coverage, and how many draws are below what theory allows."""
    figures: dict[str, Any] = {"draws": len(runs), "accuracy": _mean([run["after"]["accuracy"] for run in runs])}
    for way in WAYS:
        found = [run[way] for run in runs]
        figures[way] = {name: _mean([one[name] for one in found]) for name in ("coverage", "size", "empty", "single")}
        figures[way]["least"] = round(min(one["coverage"] for one in found), 4)
        figures[way]["below"] = sum(one["coverage"] < one["low"] for one in found)
    return figures


def table(kept: dict[str, Any]) -> list[str]:
    """Lines of Markdown."""
    columns = "data | labels | picked | right | sets | coverage, mean | least | below | classes in a set | one | empty"
    lines = [f"| {columns} |", "|---" * 11 + "|"]
    titles = {"before": "before", "after": "now", "semicp": "SemiCP"}
    for name in (name for name in NAMES if name in kept):
        for first, by_labels in kept[name].items():
            for labels, row in sorted(by_labels.items(), key=lambda item: int(item[0])):
                for way, title in titles.items():
                    one = row[way]
                    shares = [f"{one[key]:.3f}" for key in ("coverage", "least")]
                    rest = [f"{one['size']:.2f}", f"{one['single']:.2f}", f"{one['empty']:.3f}"]
                    cells = [NAMES[name], labels, first, f"{row['accuracy']:.3f}", title, *shares]
                    below = f"{one['below']}/{row['draws']}"
                    lines.append(f"| {' | '.join([*cells, below, *rest])} |")
    return lines


def _before(out: npt.NDArray[np.float32], actual: npt.NDArray[np.int64], test: npt.NDArray[np.float32]) -> Flags:
    scores = np.sort(1 - out.astype(np.float64)[np.arange(len(actual)), actual])
    rank = math.ceil(round((len(actual) + 1) * COVERAGE, 9))
    return np.asarray(1 - test.astype(np.float64) <= (scores[rank - 1] if rank <= len(actual) else 1))


def _figures(inside: Flags, truth: npt.NDArray[np.int64]) -> dict[str, float]:
    sizes = inside.sum(axis=1)
    covered = inside[np.arange(len(truth)), truth]
    shares = {"coverage": covered, "size": sizes, "empty": sizes == 0, "single": sizes == 1}
    return {name: float(values.mean()) for name, values in shares.items()}


def _low(labels: int, test: int) -> float:
    from scipy.stats import betabinom

    rank = min(math.ceil(round((labels + 1) * COVERAGE, 9)), labels)
    return float(betabinom(test, rank, labels + 1 - rank).ppf(0.025) / test)


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 4)


if __name__ == "__main__":
    main()
