"""A pool with half its pictures from classes nobody asked for: what a method accepts of them, and what ships.

`python -m benchmarks.foreign_classes --root FOLDER`: digits, and as many Fashion-MNIST pictures without a class (its
files are in FOLDER), all of 28x28 pixels. `--methods`, `--labels`, `--seeds` choose; `--save` keeps the figures for
docs/methods.md. Only digits are asked about: a person would turn the others away.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks._pipeline import keep, settings
from benchmarks.few_labels import DIGITS
from benchmarks.self_supervised import RESULTS
from components.core import plugins
from components.datasets.labels import read_labels
from components.datasets.oracle import reveal
from components.datasets.pseudo_labels import read_pseudo_labels
from pipelines.inline import LABELED, UNLABELED, Params, run_stages, share

SIDE, TEST_SHARE = 28, 0.28
PATH = RESULTS / "foreign_classes.json"
HEADER = (
    "| method | digits accepted | right | foreign accepted | surest foreign | shipped | labels alone | ships |",
    "|---|---|---|---|---|---|---|---|",
)


def main() -> None:
    """Run what the command line asks for; a line of JSON for each method and seed."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        source = mixed_folder(Path(folder) / "pictures", asked.root)
        for seed in asked.seeds:
            place = Path(folder) / f"seed{seed}"
            run_stages((*UNLABELED, LABELED[0]), place, _settings(source, seed, asked.labels))
            for name in asked.methods:
                here = share(place, Path(folder) / f"{name}-{seed}", (*UNLABELED, LABELED[0]))
                run_stages(LABELED[1:], here, _settings(source, seed, asked.labels, name))
                print(json.dumps({"method": name, "seed": seed, **(figures := outcome(here))}), flush=True)
                if asked.save:
                    keep(PATH, [asked.labels, name, seed], figures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.foreign_classes", description=__doc__)
    parser.add_argument("--root", default="data/raw", help="folder with FashionMNIST's files")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=plugins.names("semi_supervised"))
    parser.add_argument("--labels", type=int, default=40)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    return parser.parse_args()


def mixed_folder(home: Path, root: str) -> Path:
    """Digits under `train|test/<class>`, and under `train/unlabeled` as many of Fashion-MNIST as there are to train."""
    from sklearn.datasets import load_digits
    from torchvision.datasets import FashionMNIST

    digits, order = load_digits(), np.random.default_rng(0).permutation(1797)
    pictures = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    test = order[: round(TEST_SHARE * len(order))]
    for number in order.tolist():
        split = "test" if number in test else "train"
        _write(home / split / str(digits.target[number]) / f"{number}.png", pictures[number])
    foreign = FashionMNIST(root, train=True).data.numpy()
    for number in range(len(order) - len(test)):
        _write(home / "train" / "unlabeled" / f"{number}.png", foreign[number])
    return home


def outcome(place: Path) -> dict[str, Any]:
    """Of the pool, digits and foreign pictures apart, what was accepted and how sure the method was; what ships."""
    made = read_pseudo_labels(place / "data/pseudo_label/pseudo_labels.parquet")
    classes = read_labels(place / "data/label/labels.parquet").classes
    truth = np.array(reveal(place / "data/ingest/oracle.parquet", made.ids), object)
    foreign = np.equal(truth, None)
    right = np.array(classes, object)[made.distributions.argmax(axis=1)] == truth
    metrics = json.loads((place / "data/evaluate/metrics.json").read_text())
    guard = json.loads((place / "data/finetune/guard.json").read_text())
    return {
        "digits_accepted": float(made.accepted[~foreign].mean()),
        "accepted_accuracy": float(right[made.accepted & ~foreign].mean()),
        "foreign_accepted": float(made.accepted[foreign].mean()),
        "foreign_confidence": float(np.quantile(made.confidence[foreign], 0.9)),
        "accuracy": metrics["accuracy"],
        "control": metrics["control_accuracy"],
        "shipped": guard["shipped"],
    }


def row(title: str, runs: list[dict[str, Any]]) -> str:
    """A method's line of the table: means over seeds."""
    names = ("digits_accepted", "accepted_accuracy", "foreign_accepted", "foreign_confidence", "accuracy", "control")
    cells = [f"{np.mean([run[name] for run in runs]):.3f}" for name in names]
    ships = f"{sum(run['shipped'] == 'pseudo_labels' for run in runs)}/{len(runs)}"
    return f"| {' | '.join([title, *cells, ships])} |"


def _settings(source: Path, seed: int, labels: int, name: str = "label_propagation") -> Params:
    data = {"source": str(source), "modality": {"name": "image", "image_size": SIDE, "channels": 1}}
    method = {"method": {"name": name}}
    return settings(**{**DIGITS, "seed": seed, "ingest": data, "label": {"budget": labels}, "pseudo_label": method})


def _write(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path)


if __name__ == "__main__":
    main()
