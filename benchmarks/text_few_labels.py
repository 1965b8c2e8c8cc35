"""Texts with few labels through the pipeline, beside TF-IDF and linear models, on the labels that the pipeline picked.

`python -m benchmarks.text_few_labels --root FOLDER` with AG News' two tables: 20,000 training texts without their
labels, the official 7,600 test texts. word2vec is learned on the training texts alone; k-medoids picks the labels;
label spreading carries them on, naive Bayes over words answers; validation by five folds is among them. CPU seconds:
of pretraining, one thread. `--weights FILE` takes a sentence encoder that others trained, `--unbalanced` leaves so
much of each class.
"""

import argparse
import json
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._pipeline import keep, mean_and_interval, settings
from components.datasets.labels import read_labels
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.oracle import read_classes, reveal
from components.datasets.sample_store import open_samples
from components.modalities import build_modality
from pipelines.inline import LABELED, UNLABELED, run_stages, share
from pipelines.texts import ADAPTED, METHOD, SPREAD, THRESHOLD

PATH = Path(__file__).parent / "results/text_few_labels.json"
TABLES = {"train": "ag_news_train_20k.parquet", "test": "ag_news_test.parquet"}
CHANGES: dict[str, Any] = {
    "threads": 1,
    "augment": {"policies": {"weak": {}, "view": {"crop": [0.3, 0.7]}, "strong": {"crop": [0.3, 0.7], "drop": 0.2}}},
    "pretrain": {
        "method": METHOD,
        "encoder": {"name": "word_vectors"},
        "epochs": 8,
        "learning_rate": 0.01,
        "workers": 0,
    },
    "pseudo_label": {"method": SPREAD, "threshold": THRESHOLD},
    "finetune": {"method": ADAPTED},
}
INGEST = {"modality": {"name": "text"}, "leaks": "drop", "columns": {"label": "label_name"}}
SHARES = {"World": 0.5, "Sports": 0.25, "Business": 1.0, "Sci/Tech": 0.1}  # of each class's texts, where unbalanced


def main() -> None:
    """Run what the command line asks for, keep the figures and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text_few_labels", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder with AG News' tables")
    parser.add_argument("--labels", type=lambda text: [int(one) for one in text.split(",")], default=[8, 40, 200])
    parser.add_argument("--seeds", type=lambda text: [int(one) for one in text.split(",")], default=[0])
    parser.add_argument("--weights", type=Path, help="model.safetensors of a sentence encoder, its files beside it")
    parser.add_argument("--unbalanced", action="store_true", help="leave few texts of some classes")
    parser.add_argument("--home", type=Path, help="folder that keeps the encoders for another call")
    asked = parser.parse_args()
    variant = ("given weights" if asked.weights else "word2vec") + (", unbalanced" if asked.unbalanced else "")
    with tempfile.TemporaryDirectory() as folder:
        for seed in asked.seeds:
            _run(asked, variant, seed, Path(folder))
    print("\n".join(table(json.loads(PATH.read_text())[variant])))


def table(kept: dict[str, Any]) -> list[str]:
    """A row for each method, a column for each number of labels."""
    counts = sorted(kept, key=int)
    names = dict.fromkeys(name for count in counts for run in kept[count].values() for name in run)
    lines = [f"| | {' | '.join(f'{count} labels' for count in counts)} |", "|---" * (1 + len(counts)) + "|"]
    for name in names:
        cells = [mean_and_interval([run[name] for run in kept[count].values()]) for count in counts]
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    return lines


def _run(asked: argparse.Namespace, variant: str, seed: int, folder: Path) -> None:
    source, base = folder / "ag_news.parquet", (asked.home or folder) / f"{variant} {0 if asked.weights else seed}"
    join(asked.root, source, unbalanced=asked.unbalanced)
    changes = {**CHANGES, "seed": seed, "ingest": {**INGEST, "source": str(source)}}
    if asked.weights:
        given = {"path": str(asked.weights.resolve())}
        encoder = {"name": "sentence_transformers"}
        changes["pretrain"] = {"encoder": encoder, "weights": given, "epochs": 0, "workers": 0}
    if not (base / "data/embed").is_dir():
        _say(f"seed {seed}, CPU seconds: {run_stages(UNLABELED, base, settings(**changes))}")
    rivals = None
    for budget in asked.labels:
        place = share(base, folder / f"seed{seed}-{budget}")
        _say(f"{budget}: {run_stages(LABELED, place, settings(**{**changes, 'label': {'budget': budget}}))}")
        rivals = rivals or Rivals(place / "data")
        rivals.data = place / "data"
        metrics = json.loads((rivals.data / "evaluate/metrics.json").read_text())
        figures = {
            "winnow": metrics["accuracy"],
            "winnow, labels alone": metrics["control_accuracy"],
            "the same vectors, logistic regression": rivals.logistic(rivals.vectors),
            "the same vectors, LabelSpreading": rivals.spreading(rivals.vectors),
            "TF-IDF, logistic regression": rivals.logistic(rivals.tf_idf),
            "TF-IDF, LabelSpreading": rivals.spreading(rivals.tf_idf),
        }
        guard = json.loads((rivals.data / "finetune/guard.json").read_text())
        _say(f"{budget}: {figures} {guard['why']}")
        keep(PATH, (variant, budget, f"seed {seed}"), {name: round(value, 4) for name, value in figures.items()})


def join(root: Path, path: Path, *, unbalanced: bool = False) -> None:
    """One table at `path` of both, with their splits; unbalanced: fewer training texts of some classes."""
    import pandas as pd

    parts = [pd.read_parquet(root / name).assign(split=split) for split, name in TABLES.items()]
    texts = pd.concat(parts)[["text", "label_name", "split"]]
    if unbalanced:
        kept = [
            rows.sample(frac=SHARES[str(name)], random_state=0)
            for (name, _), rows in texts.groupby(["label_name", "split"])
        ]
        texts = pd.concat(kept).sort_index(kind="stable")
    texts.to_parquet(path)


class Rivals:
    """The same labels and the same test texts, for what a user would pick instead. data: of the pipeline's run."""

    def __init__(self, data: Path) -> None:
        self.data = data
        manifest = read_manifest(data / "ingest/manifest.parquet")
        self.ids = manifest["id"].tolist()
        self.train, self.test = positions_of(manifest, "train"), positions_of(manifest, "test")
        self.names = read_classes(data / "ingest/oracle.parquet")
        truth = reveal(data / "ingest/oracle.parquet", [self.ids[row] for row in self.test])
        self.truth = np.array([self.names.index(str(name)) for name in truth])

    @cached_property
    def tf_idf(self) -> Any:
        """`(N, V)` sparse, of the training texts' words, seen twice."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        store = open_samples(self.data / "ingest/samples.npy")
        kind = build_modality(store.about.modality)
        texts = [kind.to_file(store.record(row)).decode() for row in range(len(store))]
        model = TfidfVectorizer(min_df=2, sublinear_tf=True).fit([texts[row] for row in self.train])
        return model.transform(texts)

    @cached_property
    def vectors(self) -> Any:
        """`(N, D)` of the pipeline's encoder."""
        return np.load(self.data / "embed/embeddings.npy")

    def labeled(self) -> tuple[Any, Any]:
        """Positions and classes of the labels that the pipeline picked."""
        labels = read_labels(self.data / "label/labels.parquet")
        place_of = {identity: row for row, identity in enumerate(self.ids)}
        return np.array([place_of[one] for one in labels.ids]), labels.distributions.argmax(1)

    def logistic(self, features: Any) -> float:
        """scikit-learn's logistic regression with its defaults, on standardized columns where they are dense."""
        from scipy.sparse import issparse
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        if not issparse(features):
            features = StandardScaler().fit(features[self.train]).transform(features)
        rows, classes = self.labeled()
        predicted = LogisticRegression(max_iter=2000).fit(features[rows], classes).predict(features[self.test])
        return float((predicted == self.truth).mean())

    def spreading(self, features: Any) -> float:
        """scikit-learn's LabelSpreading over the nearest neighbors, with its defaults, fitted on the training texts."""
        from sklearn.preprocessing import normalize
        from sklearn.semi_supervised import LabelSpreading

        rows, classes = self.labeled()
        known = np.full(len(self.train), -1)
        known[np.searchsorted(self.train, rows)] = classes
        directions = normalize(features)
        model = LabelSpreading(kernel="knn").fit(directions[self.train], known)
        return float((model.predict(directions[self.test]) == self.truth).mean())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
