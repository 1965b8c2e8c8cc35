"""Every adaptation method on labels alone: test accuracy, parameters trained and CPU seconds, the rest shared.

`python -m benchmarks.adaptation digits` (or `fashion --root FOLDER` with FashionMNIST's files); `--methods`,
`--labels`, `--seeds` choose, `--skip` leaves out what is kept already; `--save` keeps the figures for
docs/methods.md. Pretraining and the choice of labels are made once per seed and shared; no pseudo-labels.
`--pretrained 1`: how far a method comes from an encoder that has learned next to nothing in its one epoch.
"""

import argparse
import json
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._pipeline import keep, settings
from benchmarks.few_labels import changes_for
from benchmarks.self_supervised import RESULTS
from components.core import plugins, seeds
from components.core.config import PluginChoice
from components.datasets.labels import read_labels
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.oracle import reveal
from components.datasets.vectors import open_vectors
from components.models.classifier import Classifier, ClassifierSpec
from components.models.encoder_file import load_encoder
from components.training.adapt import Examples, Material, adapt
from components.training.corpus import open_corpus
from components.training.inference import predict
from components.training.loop import LoopConfig
from pipelines.inline import LABELED, UNLABELED, run_stages, share

LABELS = {"digits": [10, 20, 40], "fashion": [40, 250, 1000]}
LOOP = LoopConfig(epochs=60, batch_size=128, learning_rate=0.001)  # an epoch is one step where labels are this few


def main() -> None:
    """Run what the command line asks for; a line of JSON for each cell."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        for seed in asked.seeds:
            for labels in asked.labels or LABELS[asked.data]:
                _cells(asked, Path(folder), seed, labels)


def _for_pictures(name: str) -> bool:
    return "pixels" in (plugins.fits(plugins.load("adaptation", name)) or ("pixels",))


def _cells(asked: argparse.Namespace, folder: Path, seed: int, labels: int) -> None:
    """Every method on one choice of labels."""
    path = RESULTS / f"adaptation_{asked.data}.json"
    kept = json.loads(path.read_text()) if path.is_file() and asked.skip else {}
    known = kept.get(str(asked.pretrained), {}).get(str(labels), {})
    methods = asked.methods or [name for name in plugins.names("adaptation") if _for_pictures(name)]
    todo = [name for name in methods if str(seed) not in known.get(name, {})]
    if not todo:
        return
    base, changes = Path(asked.keep or folder) / f"{asked.pretrained}-{seed}", changes_for(asked.data, asked.root)
    pretrain = {**changes["pretrain"], "epochs": asked.pretrained}
    params = settings(**{**changes, "seed": seed, "label": {"budget": labels}, "pretrain": pretrain})
    if not (base / "data/embed").is_dir():
        run_stages(UNLABELED, base, params)
    place = share(base, folder / f"{seed}-{labels}")
    run_stages(LABELED[:1], place, params)
    for name in todo:
        figures = adapt_and_test(place / "data", PluginChoice(name=name), seed)
        cell = {"pretrained": asked.pretrained, "labels": labels, "method": name, "seed": seed}
        print(json.dumps({**cell, **figures}), flush=True)
        if asked.save:
            keep(path, list(cell.values()), figures)


def adapt_and_test(data: Path, choice: PluginChoice, seed: int) -> dict[str, Any]:
    """What the method makes of the labels in the stages' folder `data`, and what that costs."""
    manifest, labels = read_manifest(data / "ingest/manifest.parquet"), read_labels(data / "label/labels.parquet")
    rows = {identity: row for row, identity in enumerate(manifest["id"])}
    encoder = data / "pretrain/encoder.safetensors"
    corpus = open_corpus(data / "ingest/manifest.parquet", data / "ingest/samples.npy", data / "augment/policy.json")
    material = Material(corpus, open_vectors(data / "embed/embeddings.npy"), encoder, len(labels.classes))
    examples = Examples(
        positions=np.array([rows[identity] for identity in labels.ids]),
        targets=labels.distributions,
        weights=np.ones(len(labels.ids), np.float32),
        repeats=np.full(len(labels.ids), math.ceil(LOOP.batch_size / len(labels.ids))),
    )
    seeds.deterministic(1)
    before = time.process_time()
    method, history = adapt(choice, material, examples, LOOP, seed=seed)
    spent = time.process_time() - before
    spec = ClassifierSpec(encoder=load_encoder(encoder)[1], classes=labels.classes, method=choice.name)
    test = positions_of(manifest, "test")
    said = predict(Classifier(method.encoder, method.head, spec), material.samples, test).argmax(1)
    truth = reveal(data / "ingest/oracle.parquet", [manifest["id"][row] for row in test])
    right = np.array(labels.classes)[said] == np.array([str(name) for name in truth])
    return {
        "accuracy": round(float(right.mean()), 4),
        "loss": [round(history[at]["loss"], 4) for at in (0, -1)],
        "trained_parameters": _trained(encoder, choice, material.classes),
        "seconds": round(spent, 1),
    }


def _trained(encoder: Path, choice: PluginChoice, classes: int) -> int:
    """How many parameters the method may change."""
    method = plugins.build("adaptation", choice, load_encoder(encoder)[0], classes, where="method")
    return sum(parameter.numel() for parameter in method.parameters() if parameter.requires_grad)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adaptation", description=__doc__)
    parser.add_argument("data", choices=sorted(LABELS), nargs="?", default="digits")
    parser.add_argument("--root", default="data/raw", help="folder with FashionMNIST's files")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=None)
    parser.add_argument("--labels", type=lambda text: [int(count) for count in text.split(",")], default=None)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--pretrained", type=int, default=80, help="epochs of pretraining")
    parser.add_argument("--keep", help="folder that keeps the pretrained encoders for another call")
    parser.add_argument("--skip", action="store_true", help="leave out what is kept already")
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
