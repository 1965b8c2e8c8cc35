"""A tiny data set as the stages before `label` would leave it: three groups of vectors, each a class of its own."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from components.datasets.ledger import COLUMNS, append
from components.datasets.oracle import write_oracle
from components.datasets.quarantine import write_quarantine
from components.datasets.rule_labels import write_rule_labels
from tests.pictures import save_pictures, write_manifest

CLASSES = ["ant", "bee", "cat"]
TEST_EVERY = 5


@dataclass(frozen=True)
class SmallWorld:
    """Where the files lie, and what a test may want to know; rows are in the manifest's order."""

    folder: Path
    ids: list[str]
    classes: npt.NDArray[np.int64]
    train: npt.NDArray[np.int64]

    def answer(self, *answers: tuple[str, str, str]) -> None:
        """Append (id, label, annotator) to the ledger."""
        append(
            self.folder / "ledger.csv",
            [{"id": id_, "label": label, "annotator": who, "source": "person"} for id_, label, who in answers],
        )

    def id_of(self, name: str, number: int = 0) -> str:
        """The id of the number-th training sample of a class."""
        return self.ids[[row for row in self.train if CLASSES[self.classes[row]] == name][number]]

    def paths(self, *names: str) -> dict[str, Path]:
        """Arguments for a stage, by file stem."""
        return {name.split(".")[0]: self.folder / name for name in names}


def build(folder: Path, count: int = 150, *, known: bool = True) -> SmallWorld:
    """Write manifest, oracle (empty unless `known`), empty ledger, pictures, embeddings and neighbors."""
    generator = np.random.default_rng(0)
    ids = [f"{number:016x}" for number in range(count)]
    classes = np.arange(count) % 3
    vectors = (np.eye(3, 4)[classes] + 0.1 * generator.normal(size=(count, 4))).astype(np.float32)
    split = np.where(np.arange(count) % TEST_EVERY == 0, "test", "train")
    train = np.flatnonzero(split == "train")
    manifest = pd.DataFrame({"id": ids, "path": [f"p/{id_}.png" for id_ in ids], "split": split, "group": ids})
    write_manifest(
        folder / "manifest.parquet",
        manifest.assign(width=8, height=8, mode="L", bytes=64, sha256=[id_ * 4 for id_ in ids]),
    )
    truth = pd.DataFrame({"id": ids, "class": [CLASSES[number] for number in classes]})
    write_oracle(folder / "oracle.parquet", truth[:] if known else truth[:0], CLASSES if known else [])
    write_quarantine(folder / "quarantine.parquet", pd.DataFrame(columns=["path", "kind"]), leaks="refuse")
    (folder / "ledger.csv").write_text(",".join(COLUMNS) + "\n")
    (folder / "rules.csv").write_text("kind,pattern,class,name\n")
    write_rule_labels(folder / "rule_labels.parquet", [], np.zeros((0, 3), np.float32))
    save_pictures(folder / "samples.npy", generator.integers(0, 256, (count, 1, 8, 8), dtype=np.uint8))
    np.save(folder / "embeddings.npy", vectors)
    unit = vectors[train] / np.linalg.norm(vectors[train], axis=1, keepdims=True)
    similarities = unit @ unit.T
    np.fill_diagonal(similarities, -2)
    indices = np.argsort(-similarities, axis=1, kind="stable")[:, :8]
    near = np.take_along_axis(similarities, indices, 1)
    np.savez(folder / "neighbors.npz", positions=train, indices=indices, similarities=near)
    return SmallWorld(folder, ids, classes, train)
