"""A pretrain stage's inputs made of a few real digits, and the stage run on them."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from components.modalities.image.policy import Policy
from components.modalities.views import write_views
from components.stages import pretrain
from components.stages.pretrain import Params
from tests.pictures import save_pictures, views_of, write_manifest

COUNT, SIZE = 48, 16
INPUTS = ("manifest", "samples", "policy")


def build(folder: Path) -> dict[str, Path]:
    """40 training digits and 8 test ones; the stage's inputs by name."""
    from sklearn.datasets import load_digits

    digits = (load_digits().images[:COUNT, None] * 15.9).astype(np.uint8).repeat(2, 2).repeat(2, 3)
    save_pictures(folder / "samples.npy", digits)
    ids = [f"{number:016x}" for number in range(COUNT)]
    constants = {"path": "p", "width": 8, "height": 8, "mode": "L", "bytes": 64, "sha256": "0"}
    splits = ["test" if number % 6 == 0 else "train" for number in range(COUNT)]
    write_manifest(folder / "manifest.parquet", pd.DataFrame({"id": ids, "group": ids, "split": splits, **constants}))
    view = Policy(crop=(0.5, 1.0), brightness=0.3)
    write_views(folder / "policy.json", views_of({"view": view}, [0.3], [0.35]))
    names = {"manifest": "manifest.parquet", "samples": "samples.npy", "policy": "policy.json", "weights": "weights"}
    return {name: folder / file for name, file in names.items()}


def settings(**changes: Any) -> Params:
    """Of a training that takes a second."""
    small = {
        "method": {"name": "simclr", "hidden": 32, "projection": 16},
        "encoder": {"name": "small_resnet", "width": 8},
        "epochs": 3,
        "batch_size": 20,
        "learning_rate": 0.003,
    }
    return Params.model_validate(small | changes)


def run_stage(paths: dict[str, Path], folder: str, params: Params) -> dict[str, Path]:
    """The stage's outputs, by name, in a folder beside its inputs."""
    home = paths["samples"].parent / folder
    home.mkdir(exist_ok=True)
    names = {"encoder": "encoder.safetensors", "history": "history.csv", "shown": "shown.npz"}
    outputs = {name: home / file for name, file in names.items()}
    pretrain.run(params=params, **paths, **outputs)
    return outputs


def read_rows(path: Path) -> list[dict[str, str]]:
    """Of the history."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
