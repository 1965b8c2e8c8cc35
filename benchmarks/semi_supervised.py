"""Every semi-supervised method through the pipeline: accuracy and seconds beside its label-only control and the guard.

`python -m benchmarks.semi_supervised digits` (or `fashion --root FOLDER` with FashionMNIST's files); `fashion_networks`
judges by trained networks, as in the settings that ship, where `fashion` judges by solved heads in half the time.
`--methods`, `--labels`, `--seeds` choose, `--skip` leaves out what is kept already; `--save` keeps the figures for
docs/methods.md. Pretraining and the choice of labels are made once per seed and shared.

What a method itself is worth is how many of the pool's pictures it labels right, and what a network trained on them is,
whether that ships or not.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks._pipeline import keep, mean_and_interval, settings
from benchmarks.few_labels import changes_for
from benchmarks.self_supervised import RESULTS
from components.core import plugins
from components.datasets.labels import read_labels
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.oracle import reveal
from components.datasets.pseudo_labels import read_pseudo_labels
from components.datasets.sample_store import open_samples
from components.models.classifier import Classifier
from components.stages import finetune
from components.training.inference import predict
from pipelines.inline import LABELED, UNLABELED, Params, run_stages, share

Kept = dict[str, dict[str, dict[str, dict[str, Any]]]]  # figures by number of labels, method and seed
HEADER = (
    "| method | shipped | labels alone | pseudo-labels | ships | pool right | accepted | right | CPU s | seeds |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
JUDGED = (
    "shipped",
    "evidence",
    "held_out",
    "candidate_right",
    "control_right",
    "candidate_confirmed",
    "control_confirmed",
    "candidate_plain",
    "control_plain",
)
POOL = ("pool_accuracy", "accepted_share", "accepted_accuracy")
LABELS = {"digits": [10, 20, 40, 100], "fashion": [40, 250, 1000], "fashion_networks": [40, 250, 1000]}
LONG: Params = {  # a pool of 60,000 is long enough an epoch
    "label": {"folds": 2},
    "pseudo_label": {"network": {"epochs": 1}},
}
CHANGES: dict[str, Params] = {
    "digits": {},
    "fashion": {**LONG, "finetune": {"guard_epochs": 0}},
    "fashion_networks": LONG,
}


def main() -> None:
    """Run what the command line asks for; a line of JSON for each cell."""
    asked = _arguments()
    methods, path = asked.methods or plugins.names("semi_supervised"), RESULTS / f"semi_supervised_{asked.data}.json"
    with tempfile.TemporaryDirectory() as folder:
        for seed in asked.seeds:
            base = Path(asked.keep or folder) / f"seed{seed}"
            for labels in asked.labels or LABELS[asked.data]:
                todo = [name for name in methods if not (asked.skip and _kept(path, labels, name, seed))]
                if not todo:
                    continue
                if not (base / "data/embed").is_dir():
                    run_stages(UNLABELED, base, _settings(asked, seed))
                place = share(base, Path(folder) / f"seed{seed}-{labels}")
                run_stages(LABELED[:1], place, _settings(asked, seed, labels))
                for name in todo:
                    figures = _one(place, _settings(asked, seed, labels, name))
                    line = {"labels": labels, "method": name, "seed": seed, **figures}
                    print(json.dumps(line), flush=True)
                    if asked.save:
                        keep(path, [labels, name, seed], figures)


def row(title: str, runs: list[dict[str, Any]]) -> str:
    """A method's line of the table for one number of labels."""
    learned = [mean_and_interval([run[figure] for run in runs]) for figure in ("accuracy", "control", "candidate")]
    ships = f"{sum(run['shipped'] == 'pseudo_labels' for run in runs)}/{len(runs)}"
    pool = [f"{np.mean([run[figure] for run in runs]):.3f}" for figure in POOL]
    seconds = f"{np.mean([run['pseudo_label_seconds'] for run in runs]):.0f}"
    return f"| {' | '.join([title, *learned, ships, *pool, seconds, str(len(runs))])} |"


def told_changes(data: str) -> Params:
    """Which settings differ from those that ship and bear on what is compared."""
    changes = _changes(data)
    return {block: changes[block] for block in ("label", "pseudo_label", "finetune") if block in changes}


def verdicts(kept: Kept) -> dict[str, int]:
    """How many runs there are; in how many the candidate, and in how many what shipped, is worse on the test pictures
    than labels alone; in how many a better candidate was held back.
    """
    runs = [run for methods in kept.values() for by_seed in methods.values() for run in by_seed.values()]
    held_back = [run for run in runs if run["shipped"] == "control"]
    return {
        "runs": len(runs),
        "candidate_worse": sum(run["candidate"] < run["control"] for run in runs),
        "shipped_worse": sum(run["accuracy"] < run["control"] for run in runs),
        "better_held_back": sum(run["candidate"] > run["control"] for run in held_back),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.semi_supervised", description=__doc__)
    parser.add_argument("data", choices=sorted(LABELS), nargs="?", default="digits")
    parser.add_argument("--root", default="data/raw", help="folder with FashionMNIST's files")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=None)
    parser.add_argument("--labels", type=lambda text: [int(count) for count in text.split(",")], default=None)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--keep", help="folder that keeps the pretrained encoders for another call")
    parser.add_argument("--skip", action="store_true", help="leave out what is kept already")
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    return parser.parse_args()


def _changes(data: str, root: str = "data/raw") -> Params:
    common = changes_for(data.partition("_")[0], root)
    return {**common, **{block: {**common.get(block, {}), **change} for block, change in CHANGES[data].items()}}


def _settings(asked: argparse.Namespace, seed: int, labels: int = 40, name: str = "label_propagation") -> Params:
    changes = _changes(asked.data, asked.root)
    changes["label"] = {**changes.get("label", {}), "budget": labels}
    changes["pseudo_label"] = {**changes.get("pseudo_label", {}), "method": {"name": name}}
    return settings(**{**changes, "seed": seed})


def _one(place: Path, params: Params) -> dict[str, Any]:
    trained: list[list[Classifier]] = []
    final = finetune._final

    def remember(*given: Any) -> Any:
        both = final(*given)
        trained.append([classifier for classifier, _ in both])
        return both

    with mock.patch.object(finetune, "_final", remember):  # only what ships is kept
        spent = run_stages(LABELED[1:3], place, params)
    guard = json.loads((place / "data/finetune/guard.json").read_text())
    candidate, control = (_test_accuracy(place, classifier) for classifier in trained[0])
    return {
        "accuracy": candidate if guard["shipped"] == "pseudo_labels" else control,
        "control": control,
        "candidate": candidate,
        **{name: guard[name] for name in JUDGED},
        **_on_the_pool(place),
        "pseudo_label_seconds": round(spent["pseudo_label"], 1),
        "finetune_seconds": round(spent["finetune"], 1),
    }


def _test_accuracy(place: Path, classifier: Classifier) -> float:
    manifest = read_manifest(place / "data/ingest/manifest.parquet", ["id", "split"])
    rows = positions_of(manifest, "test")
    said = predict(classifier, open_samples(place / "data/ingest/samples.npy"), rows).argmax(axis=1)
    truth = reveal(place / "data/ingest/oracle.parquet", manifest["id"].iloc[rows].tolist())
    return float(np.mean([classifier.spec.classes[guess] == true for guess, true in zip(said, truth, strict=True)]))


def _on_the_pool(place: Path) -> dict[str, float]:
    """Of all unlabeled training pictures and of the accepted ones, the share labeled right; and the share accepted."""
    made = read_pseudo_labels(place / "data/pseudo_label/pseudo_labels.parquet")
    classes = read_labels(place / "data/label/labels.parquet").classes
    truth = reveal(place / "data/ingest/oracle.parquet", made.ids)
    said = [classes[number] for number in made.distributions.argmax(axis=1)]
    right = np.array([guess == true for guess, true in zip(said, truth, strict=True)])
    accepted = made.accepted
    return {
        "pool_accuracy": float(right.mean()),
        "accepted_accuracy": float(right[accepted].mean()) if accepted.any() else 1.0,
        "accepted_share": float(accepted.mean()),
    }


def _kept(path: Path, *keys: str | int) -> bool:
    place = json.loads(path.read_text()) if path.is_file() else {}
    for key in keys:
        place = place.get(str(key), {})
    return bool(place)


if __name__ == "__main__":
    main()
