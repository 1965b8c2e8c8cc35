"""A campaign without training: stages that leave the smallest files a campaign reads, and figures known in advance."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from components.core.config import read_params
from components.datasets.labels import Labels, write_labels
from components.datasets.ledger import append, in_force, read_ledger
from components.datasets.manifest import read_manifest
from components.datasets.oracle import read_oracle, write_oracle
from pipelines.campaign.plan import Options
from pipelines.inline import LEDGER
from tests.pictures import write_manifest

ROOT = Path(__file__).resolve().parents[2]
PARAMS = read_params(ROOT / "params.yaml")
SMALL = Options(rounds=2, budget=5, start=10, seeds=2, strategies=("margin",))
CLASSES = ["ant", "bee"]
TRAIN, TEST = 40, 10
GAIN = {"random": 0.001, "margin": 0.002, "entropy": 0.0005}  # accuracy per label beyond the first ones


class FakeStages:
    """Stands for `run_stages`; `runs` lists (folder's last two names, stage), `before` is called before each."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, str]] = []

    def before(self, folder: Path, name: str) -> None:
        """What a test puts here happens when the stage begins."""

    def __call__(self, names: Iterable[str], folder: Path, params: dict[str, Any]) -> dict[str, float]:
        for name in names:
            self.before(folder, name)
            self.runs.append(("/".join(folder.parts[-2:]), name))
            home = folder / "data" / name
            home.mkdir(parents=True, exist_ok=True)
            write = getattr(self, f"_{name}", None)
            if write is not None:
                write(home, folder, params)
        return {}

    def _ingest(self, home: Path, folder: Path, params: dict[str, Any]) -> None:
        write_source(home)

    def _label(self, home: Path, folder: Path, params: dict[str, Any]) -> None:
        if not (folder / LEDGER).is_file():
            append(folder / LEDGER, [])
        known = in_force(read_ledger(folder / LEDGER))["id"].tolist()
        ids = sorted([*known, *_others(folder, known)][: params["label"]["budget"]])
        one_hot = np.eye(2, dtype=np.float32)[[int(id_, 16) % 2 for id_ in ids]]
        folds = np.zeros(len(ids), np.int64)
        write_labels(home / "labels.parquet", Labels(ids, one_hot, ["oracle"] * len(ids), folds, CLASSES))

    def _select(self, home: Path, folder: Path, params: dict[str, Any]) -> None:
        known = in_force(read_ledger(folder / LEDGER))["id"].tolist()
        pool = _others(folder, known)
        ordered = pool if params["select"]["strategy"]["name"] == "margin" else pool[::-1]
        queries = pd.DataFrame({"id": ordered[: params["select"]["budget"]], "confidence": 0.5})
        queries.to_csv(home / "queries.csv", index=False)

    def _evaluate(self, home: Path, folder: Path, params: dict[str, Any]) -> None:
        used = params["label"]["budget"]
        assert used == len(in_force(read_ledger(folder / LEDGER)))
        gain = GAIN[params["select"]["strategy"]["name"]]
        accuracy = 0.5 + 0.01 * params["seed"] + gain * (used - 10)
        figures = {"accuracy": accuracy, "accuracy_low": accuracy - 0.1, "accuracy_high": accuracy + 0.1}
        facts = {"control_accuracy": 0.5, "labels_used": used, "shipped": "control"}
        (home / "metrics.json").write_text(json.dumps({**figures, **facts}))


def write_source(home: Path, *, known: int = TRAIN + TEST) -> None:
    """Write manifest and oracle; `known`: samples whose truth the oracle holds."""
    ids = [f"{number:016x}" for number in range(TRAIN + TEST)]
    split = ["train"] * TRAIN + ["test"] * TEST
    manifest = pd.DataFrame({"id": ids, "path": ids, "split": split, "group": ids})
    manifest = manifest.assign(width=8, height=8, mode="L", bytes=64, sha256=ids)
    home.mkdir(parents=True, exist_ok=True)
    write_manifest(home / "manifest.parquet", manifest)
    truth = pd.DataFrame({"id": ids, "class": [CLASSES[number % 2] for number in range(len(ids))]})
    write_oracle(home / "oracle.parquet", truth[:known], CLASSES)


def _others(folder: Path, known: list[str]) -> list[str]:
    manifest = read_manifest(folder / "data/ingest/manifest.parquet", ["id", "split"])
    assert len(read_oracle(folder / "data/ingest/oracle.parquet"))
    return [id_ for id_ in manifest.loc[manifest["split"] == "train", "id"] if id_ not in known]
