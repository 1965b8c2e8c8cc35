"""A small world with labels and a model, and a run of `select` in it."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import torch
from small_world import CLASSES, SmallWorld, build
from torch import nn

from components.core.config import PluginChoice
from components.datasets.labels import Labels, write_labels
from components.models.classifier import Classifier, ClassifierSpec, save_classifier
from components.models.encoder_file import build_encoder
from components.stages import select
from tests.pictures import spec_of

ENCODER = spec_of(name="small_resnet", options={"width": 8}, channels=1, image_size=8, dim=32, mean=[0.5], std=[0.25])
OUTPUTS = ("queries.csv", "tasks.json", "gallery.html", "suspects.csv")


def labeled_world(folder: Path) -> SmallWorld:
    """One whose first 20 training samples are labeled."""
    world = build(folder)
    label(world, 20)
    return world


def label(world: SmallWorld, count: int, classes: list[str] = CLASSES) -> None:
    """Label the first training samples, and leave a model of these classes."""
    rows = world.train[:count]
    targets = np.eye(3, dtype=np.float32)[world.classes[rows]]
    ids = [world.ids[row] for row in rows]
    labels = Labels(ids, targets, ["given"] * count, np.full(count, -1), classes)
    write_labels(world.folder / "labels.parquet", labels)
    torch.manual_seed(0)
    encoder = build_encoder(ENCODER)
    spec = ClassifierSpec(encoder=ENCODER, classes=classes, method="full", dropout=0.3)
    save_classifier(world.folder / "model.safetensors", Classifier(encoder, nn.Linear(ENCODER.dim, 3), spec))


def run(world: SmallWorld, **settings: Any) -> dict[str, float]:
    params = select.Params(strategy=PluginChoice(name=settings.pop("strategy", "margin")), **settings)
    inputs = ("manifest.parquet", "samples.npy", "embeddings.npy", "labels.parquet", "ledger.csv", "model.safetensors")
    return select.run(params=params, **world.paths(*inputs, *OUTPUTS))


def queries(world: SmallWorld) -> list[dict[str, str]]:
    with (world.folder / "queries.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
