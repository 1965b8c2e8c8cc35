"""Prediction sets: measured coverage beside the stated one.

`python -m benchmarks.conformal` (`--seeds`, `--labels` choose; `--save` keeps the figures for docs/methods.md).
Splits: one logistic regression on pixels, its labels, the calibration labels and the test pictures drawn anew each
time, so that the theory holds and says how measured coverage may vary (`--seeds ""` runs these alone); where the
model is right more often than stated, sets hold the right class more often, as the likeliest class is in every one.
Pipeline: the settings that ship, with labels picked as shipped and at random; its kept figures are of sets that could
still be empty, which `abstained` counts.
"""

import argparse
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from benchmarks._pipeline import keep, settings
from benchmarks.few_labels import DIGITS
from benchmarks.self_supervised import RESULTS
from components.models.prediction_sets import SetSettings, calibrate, members
from pipelines.inline import LABELED, UNLABELED, run_stages, share

PATH = RESULTS / "conformal.json"
LEARNED, SPLITS = 100, 20  # labels that the model of the splits learns from; how many splits
SCORES: dict[str, dict[str, Any]] = {
    "lac": {"score": "lac"},
    "aps": {"score": "aps"},
    "raps": {"score": "aps", "penalty": 0.1, "free": 2},
}
FIRST = ("k_medoids", "random")


def main() -> None:
    """Run what the command line asks for; a line of JSON for each cell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conformal", description=__doc__)
    parser.add_argument("--labels", type=lambda text: [int(count) for count in text.split(",")], default=[40, 100])
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",") if seed], default=[0, 1, 2])
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    asked = parser.parse_args()
    for name in SCORES:
        for labels in asked.labels:
            _tell(asked.save, ["splits", name, labels], splits(name, labels))
    with tempfile.TemporaryDirectory() as folder:
        for seed in asked.seeds:
            base = Path(folder) / f"seed{seed}"
            run_stages(UNLABELED, base, settings(**{**DIGITS, "seed": seed}))
            for labels in asked.labels:
                for first in FIRST:
                    place = share(base, Path(folder) / f"seed{seed}-{labels}-{first}")
                    _tell(asked.save, ["pipeline", labels, first, seed], _pipeline(place, seed, labels, first))


def splits(name: str, labels: int, *, coverage: float = 0.9) -> dict[str, Any]:
    """Coverage and set size of each split; low, high: 95 of 100 splits measure between them where the theory holds.

    That is beta-binomial: of the coverages there can be with so many labels, and so many test pictures (Vovk 2012).
    """
    from scipy.stats import betabinom

    pictures, digits = load_digits(return_X_y=True)
    found: dict[str, list[float]] = {"coverage": [], "size": [], "abstained": [], "accuracy": []}
    for seed in range(SPLITS):
        rows = np.random.default_rng(seed).permutation(len(digits))
        learned, held, test = np.split(rows, [LEARNED, LEARNED + labels])
        model = LogisticRegression(max_iter=1000).fit(pictures[learned] / 16, digits[learned])
        said = model.predict_proba(pictures / 16)
        sets = calibrate(said[held], digits[held], SetSettings(coverage=coverage, **SCORES[name]))
        inside = members(said[test], sets)
        found["coverage"].append(inside[np.arange(len(test)), digits[test]].mean())
        found["size"].append(inside.sum(1).mean())
        found["abstained"].append((inside.sum(1) != 1).mean())
        found["accuracy"].append((said[test].argmax(1) == digits[test]).mean())
    rank = math.ceil(round((labels + 1) * coverage, 9))
    law, count = betabinom(len(digits) - LEARNED - labels, rank, labels + 1 - rank), len(digits) - LEARNED - labels
    return {
        **{key: [round(float(value), 4) for value in values] for key, values in found.items()},
        "low": round(law.ppf(0.025) / count, 4),
        "high": round(law.ppf(0.975) / count, 4),
        "expected": round(rank / (labels + 1), 4),
    }


def table(kept: dict[str, Any]) -> list[str]:
    """Lines of Markdown: the splits, then the pipeline."""
    lines = ["| score | held-out labels | coverage, mean | by theory, each | inside | classes in a set | abstained |"]
    lines.append("|---|---|---|---|---|---|---|")
    for name, by_labels in kept["splits"].items():
        for labels, row in sorted(by_labels.items(), key=lambda item: int(item[0])):
            inside = sum(row["low"] <= value <= row["high"] for value in row["coverage"])
            means = [np.mean(row[key]) for key in ("coverage", "size", "abstained")]
            theory = f"{row['low']:.3f} to {row['high']:.3f}, mean {row['expected']:.3f}"
            cells = [name, labels, f"{means[0]:.3f}", theory, f"{inside}/{len(row['coverage'])}"]
            lines.append(f"| {' | '.join([*cells, f'{means[1]:.2f}', f'{means[2]:.3f}'])} |")
    lines += ["", "| labels | picked | coverage, each seed | classes in a set | abstained | accuracy | shipped |"]
    lines.append("|---|---|---|---|---|---|---|")
    for labels, by_first in sorted(kept["pipeline"].items(), key=lambda item: int(item[0])):
        for first, runs in by_first.items():
            cells = [
                " ".join(f"{run[key]:.{digits}f}" for run in runs.values())
                for key, digits in (("coverage", 3), ("set_size", 2), ("abstained", 3), ("accuracy", 3))
            ]
            shipped = ", ".join(str(run["shipped"]).replace("_", "-") for run in runs.values())
            lines.append(f"| {' | '.join([labels, first, *cells, shipped])} |")
    return lines


def _pipeline(place: Path, seed: int, labels: int, first: str) -> dict[str, Any]:
    params = settings(**{**DIGITS, "seed": seed, "label": {"budget": labels, "first": {"name": first}}})
    run_stages(LABELED, place, params)
    metrics = json.loads((place / "data/evaluate/metrics.json").read_text())
    keys = ("coverage_stated", "coverage", "coverage_low", "coverage_high", "set_size", "abstained", "accuracy")
    return {**{key: round(metrics[key], 4) for key in keys}, "shipped": metrics["shipped"]}


def _tell(save: bool, keys: list[str | int], figures: dict[str, Any]) -> None:
    print(json.dumps({"/".join(map(str, keys)): figures}), flush=True)
    if save:
        keep(PATH, keys, figures)


if __name__ == "__main__":
    main()
