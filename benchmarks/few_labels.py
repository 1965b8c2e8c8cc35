"""Few labels: the pipeline against what a user would pick instead, on the labels that the pipeline picked.

`python -m benchmarks.few_labels digits` (5 seeds, 10 and 40 labels), or `fashion --root FOLDER` with FashionMNIST's
files (3 seeds, 40, 250 and 1,000 labels); `--seeds`, `--labels` choose, `--alone` leaves out what a user would pick.
One run, one table.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._pipeline import margin_of, settings
from components.core import seeds
from components.datasets.labels import read_labels
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.oracle import read_classes, reveal
from components.datasets.sample_store import Store, open_samples
from pipelines.inline import LABELED, UNLABELED, Params, run_stages, share

DIGITS: dict[str, Any] = {"threads": 1, "pretrain": {"workers": 0}}
FASHION: dict[str, Any] = {  # what other benchmarks begin with, whose kept figures are of it
    "threads": 1,
    "ingest": {
        "source": "torchvision:FashionMNIST",
        "modality": {"name": "image", "image_size": 28, "channels": 1},
        "leaks": "drop",
    },
    "augment": {
        "policies": {
            "weak": {"crop": [0.8, 1.0], "flip": 0.5, "translate": 0.05},
            "view": {"crop": [0.3, 1.0], "flip": 0.5, "brightness": 0.4, "contrast": 0.4},
            "strong": {"crop": [0.5, 1.0], "flip": 0.5, "brightness": 0.4, "contrast": 0.4, "cutout": 0.3},
        }
    },
    "pretrain": {"epochs": 8, "workers": 0},
    "finetune": {"method": {"name": "full", "view": "strong"}, "epochs": 4, "guard_epochs": 4},
}
FASHION_RECIPE: dict[str, Any] = {  # chosen on training pictures (docs/log.md)
    **FASHION,
    "augment": {
        "policies": {
            **FASHION["augment"]["policies"],
            "view": {"crop": [0.5, 1.0], "flip": 0.5, "brightness": 0.6, "contrast": 0.6},
        }
    },
    "pretrain": {
        "encoder": {"name": "small_resnet", "whiten": True, "pixels": 64},
        "epochs": 15,
        "workers": 0,
    },
    "finetune": {"method": {"name": "full", "view": "strong"}, "epochs": 4, "guard_epochs": 1},
}
SEEDS, LABELS = {"digits": range(5), "fashion": range(3)}, {"digits": (10, 40), "fashion": (40, 250, 1000)}


def changes_for(name: str, root: str = "data/raw") -> dict[str, Any]:
    """What a benchmark on `digits` or `fashion` changes in the settings that ship; root: of FashionMNIST's files."""
    if name == "digits":
        return DIGITS
    return _rooted(FASHION, root)


def _rooted(changes: dict[str, Any], root: str) -> dict[str, Any]:
    return {**changes, "ingest": {**changes["ingest"], "root": str(Path(root).absolute())}}


def main() -> None:
    """Run what the command line asks for and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.few_labels", description=__doc__)
    parser.add_argument("data", choices=sorted(SEEDS), nargs="?", default="digits")
    parser.add_argument("--root", default="data/raw", help="folder with FashionMNIST's files")
    parser.add_argument("--labels", type=lambda text: [int(count) for count in text.split(",")], default=None)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=None)
    parser.add_argument("--keep", help="folder that keeps the pretrained encoders for another call")
    parser.add_argument("--alone", action="store_true", help="the pipeline and its label-only control alone")
    asked = parser.parse_args()
    changes = DIGITS if asked.data == "digits" else _rooted(FASHION_RECIPE, asked.root)
    print(json.dumps(_run(asked, changes), indent=2))


def _run(asked: argparse.Namespace, changes: dict[str, Any]) -> list[dict[str, Any]]:
    """One row per budget and method: mean test accuracy over the seeds, the accuracies, and a 95 % interval."""
    figures: dict[tuple[int, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for seed in asked.seeds or SEEDS[asked.data]:
            base = Path(asked.keep or folder) / f"seed{seed}"
            if not (base / "data/embed").is_dir():
                spent = run_stages(UNLABELED, base, settings(**{**changes, "seed": seed}))
                _say(f"seed {seed}, CPU seconds: {_listed(spent)}")
            for budget in asked.labels or LABELS[asked.data]:
                place = share(base, Path(folder) / f"seed{seed}-{budget}")
                params = settings(**{**changes, "seed": seed, "label": {"budget": budget}})
                spent = run_stages(LABELED, place, params)
                _say(f"seed {seed}, {budget} labels, CPU seconds: {_listed(spent)}")
                for method, accuracy in _accuracies(place, params, alone=asked.alone).items():
                    figures[budget, method].append(accuracy)
                    _say(f"seed {seed}, {budget} labels, {method}: {accuracy:.4f}")
    return [_row(budget, method, values) for (budget, method), values in figures.items()]


def _accuracies(place: Path, params: Params, *, alone: bool) -> dict[str, float]:
    metrics = json.loads((place / "data/evaluate/metrics.json").read_text())
    _say(f"  {json.loads((place / 'data/finetune/guard.json').read_text())['why']}")
    own = {"winnow": metrics["accuracy"], "label-only control": metrics["control_accuracy"]}
    if alone:
        return own
    task = Rivals(place)
    return {
        **own,
        "logistic regression, pixels": task.logistic(task.pixels),
        "LabelSpreading, pixels": task.spreading(task.pixels),
        "small network, labels only": task.network(params),
        "encoder + logistic regression": task.logistic(task.vectors),
        "encoder + LabelSpreading": task.spreading(task.vectors),
    }


class Rivals:
    """The same labels and the same test rows, for the methods a user would pick instead."""

    def __init__(self, place: Path) -> None:
        data = place / "data"
        manifest = read_manifest(data / "ingest/manifest.parquet")
        self.data, self.ids = data, manifest["id"].tolist()
        self.train, self.test = positions_of(manifest, "train"), positions_of(manifest, "test")
        vectors = np.load(data / "embed/embeddings.npy")
        self.vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        labels = read_labels(data / "label/labels.parquet")
        place_of = {identity: row for row, identity in enumerate(self.ids)}
        self.labeled = np.array([place_of[identity] for identity in labels.ids])
        self.classes = labels.distributions.argmax(axis=1)
        names = read_classes(data / "ingest/oracle.parquet")
        truth = reveal(data / "ingest/oracle.parquet", [self.ids[row] for row in self.test])
        self.truth = np.array([names.index(str(name)) for name in truth])

    @cached_property
    def samples(self) -> Store:
        return open_samples(self.data / "ingest/samples.npy")

    @cached_property
    def pixels(self) -> npt.NDArray[np.float32]:
        samples = self.samples
        return samples.values.reshape(len(samples), -1).astype(np.float32) / 255

    def logistic(self, vectors: npt.NDArray[np.float32]) -> float:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        model.fit(vectors[self.labeled], self.classes)
        return self._score(model.predict(vectors[self.test]))

    def spreading(self, vectors: npt.NDArray[np.float32]) -> float:
        """scikit-learn's LabelSpreading, k-NN kernel with k=7, over the training split."""
        from sklearn.semi_supervised import LabelSpreading

        known = np.full(len(vectors), -1)
        known[self.labeled] = self.classes
        model = LabelSpreading(kernel="knn", n_neighbors=7, alpha=0.2, max_iter=100, tol=1e-3)
        model.fit(vectors[self.train], known[self.train])
        return self._score(model.predict(vectors[self.test]))

    def network(self, params: Params) -> float:
        """The same small network, from scratch, on the labels alone, with the same weak augmentation."""
        import torch

        from components.core.config import PluginChoice
        from components.core.plugins import build
        from components.modalities.views import read_views
        from components.training.loop import Labeled, LoopConfig, train

        samples = open_samples(self.data / "ingest/samples.npy")
        views = read_views(self.data / "augment/policy.json")
        torch.manual_seed(seeds.derive(params["seed"], "network"))
        encoder = build("encoder", PluginChoice(**params["pretrain"]["encoder"]), views.input, where="encoder")
        count = len(read_classes(self.data / "ingest/oracle.parquet"))
        method = build("adaptation", PluginChoice(name="full"), encoder, count, where="method")
        repeats = max(1, 512 // len(self.labeled))
        rows = np.repeat(self.labeled, repeats)
        targets = np.eye(count, dtype=np.float32)[np.repeat(self.classes, repeats)]
        data = Labeled(samples, rows, views, targets, np.ones(len(rows), dtype=np.float32))
        loop = LoopConfig(epochs=60, batch_size=64, learning_rate=0.002)
        train(method, data, loop, seed=params["seed"])
        method.eval()
        with torch.no_grad():
            pictures = views.plain(torch.from_numpy(np.asarray(samples[self.test])))
            logits = torch.cat([method.head(method.encoder(part)) for part in pictures.split(1000)])
        return self._score(logits.argmax(1).numpy())

    def _score(self, predicted: npt.NDArray[np.int64]) -> float:
        return float((predicted == self.truth).mean())


def _row(budget: int, method: str, values: list[float]) -> dict[str, Any]:
    mean, margin = float(np.mean(values)), margin_of(values)
    return {
        "labels": budget,
        "method": method,
        "accuracy": round(mean, 4),
        "interval": [round(mean - margin, 4), round(mean + margin, 4)],
        "seeds": [round(value, 4) for value in values],
    }


def _listed(seconds: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.0f}" for name, value in seconds.items())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
