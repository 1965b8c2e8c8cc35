"""A small finished project whose model is registered: what `register` reads, made in the current folder."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn

from components.models.classifier import Classifier, ClassifierSpec, save_classifier
from components.models.encoder_file import EncoderSpec, build_encoder
from components.release.gate import Gate
from components.stages import register
from tests.pictures import save_pictures

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ["cat", "dog"]
ENCODER = {"name": "small_resnet", "channels": 1, "image_size": 8, "dim": 128, "mean": [0.5], "std": [0.25]}


def register_model(gate: dict[str, Any]) -> dict[str, Any]:
    """What the stage wrote into `version.json`."""
    data = Path("data")
    home = data / "register"
    home.mkdir(exist_ok=True)
    register.run(
        params=register.Params(gate=Gate(**gate)),
        manifest=data / "ingest/manifest.parquet",
        samples=data / "ingest/samples.npy",
        oracle=data / "ingest/oracle.parquet",
        ledger=data / "labels/ledger.csv",
        model=data / "finetune/model.safetensors",
        predictions=data / "evaluate/predictions.parquet",
        metrics=data / "evaluate/metrics.json",
        version=home / "version.json",
    )
    return dict(json.loads((home / "version.json").read_text()))


def write_data() -> None:
    """Settings, graph, 20 training and 20 test pictures, and an evaluation."""
    for name in ("params.yaml", "dvc.yaml"):
        Path(name).write_text((ROOT / name).read_text())
    ids = [f"{number:016x}" for number in range(40)]
    for name in ("ingest", "finetune", "evaluate", "register"):
        (Path("data") / name).mkdir(parents=True, exist_ok=True)
    split = ["train"] * 20 + ["test"] * 20
    facts = {"id": ids, "path": [f"{one}.png" for one in ids], "split": split, "sha256": [one * 4 for one in ids]}
    pd.DataFrame(facts).to_parquet("data/ingest/manifest.parquet")
    pixels = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), dtype=np.uint8)
    save_pictures(Path("data/ingest/samples.npy"), pixels)
    figures = {"accuracy": 0.9, "accuracy_low": 0.8, "accuracy_high": 1.0, "control_accuracy": 0.5, "labels_used": 4}
    Path("data/evaluate/metrics.json").write_text(json.dumps({**figures, "shipped": "pseudo_labels"}))


def write_model(seed: int, classes: list[str]) -> None:
    """An untrained model of that seed."""
    torch.manual_seed(seed)
    spec = ClassifierSpec(encoder=EncoderSpec.model_validate(ENCODER), classes=classes, method="full")
    classifier = Classifier(build_encoder(spec.encoder), nn.Linear(spec.encoder.dim, len(classes)), spec)
    save_classifier(Path("data/finetune/model.safetensors"), classifier.eval())


def write_predictions(right: float, classes: list[str]) -> None:
    """Test rows of which the model has the share `right` right, and the label-only control a half."""
    actual = np.arange(20) % 2
    predicted = np.where(np.arange(20) < 20 * right, actual, 1 - actual)
    control = np.where(np.arange(20) < 10, actual, 1 - actual)
    table = {
        "id": [f"{number:016x}" for number in range(20, 40)],
        "actual": [classes[i] for i in actual],
        "predicted": [classes[i] for i in predicted],
        "control_distribution": [np.eye(len(classes), dtype=np.float32)[i].tolist() for i in control],
    }
    pq.write_table(pa.table(table), "data/evaluate/predictions.parquet")


def register_for_a_person() -> None:
    """A version that the gate let pass and that waits until a person has said yes."""
    write_data()
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("approval: none", "approval: person"))
    write_model(0, CLASSES)
    write_predictions(1.0, CLASSES)
    register_model({"approval": "person", "minimum_gain": -1.0})
