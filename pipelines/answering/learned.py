"""What a version learned from, sample by sample: as labeled by whom, by a pseudo-label, by its content alone."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from components.core.model_versions import Version
from components.core.run_source import RunSource
from components.datasets.labels import read_labels
from components.datasets.ledger_before import ledger_before
from components.datasets.manifest import read_manifest
from components.datasets.pseudo_labels import read_pseudo_labels
from components.datasets.truth import answers
from pipelines.answering.kept import kept

LEDGER = Path("data/labels/ledger.csv")
MANIFEST = Path("data/ingest/manifest.parquet")
LABELS, PSEUDO = Path("data/label/labels.parquet"), Path("data/pseudo_label/pseudo_labels.parquet")
PEOPLE = ("person", "rule")  # sources of labels that stand in the ledger


@dataclass(frozen=True)
class Learned:
    """manifest: `id`, `path`, `split`, `sha256`, None where it is kept no more; labels: source by id; pseudo: accepted
    ids where the model that ships learned from them; rows: the ledger's in force for the labels, None where that ledger
    is no more; lost: sentences on what is not known; scratch: whether the model that ships began without pretraining.
    """

    manifest: pd.DataFrame | None
    labels: Mapping[str, str]
    pseudo: frozenset[str]
    rows: pd.DataFrame | None
    lost: list[str]
    scratch: bool = False

    def annotators(self) -> dict[str, int]:
        """How many labels in force each annotator gave that the version learned from."""
        if self.rows is None:
            return {}
        return dict(sorted(Counter(self.rows["annotator"].tolist()).items()))

    def sources(self) -> dict[str, int]:
        """How many labels came from where."""
        return dict(sorted(Counter(self.labels.values()).items()))

    def how(self, sample: str) -> str:
        """How the version knows a sample, in words; empty where it does not."""
        if sample in self.labels:
            rows = self.rows[self.rows["id"] == sample] if self.rows is not None else None
            if rows is not None and len(rows):
                said = ", ".join(f"'{one.label}' by {one.annotator}, round {one.round}" for one in rows.itertuples())
                return f"as labeled: {said}"
            return f"as labeled: {self.labels[sample]}"
        if sample in self.pseudo:
            return "by a pseudo-label, and in pretraining"
        if self.manifest is None:
            return "not known: its manifest is kept no more"
        split = dict(zip(self.manifest["id"], self.manifest["split"], strict=True)).get(sample)
        unseen = "not at all: the network that ships was trained from scratch on the labels"
        train = unseen if self.scratch else "in pretraining alone"
        return {"train": train, "test": "not at all: it is of the test split"}.get(split or "", "")

    def of_annotator(self, name: str, number: int | None) -> int:
        """How many labels in force that annotator gave it, in that round or all."""
        if self.rows is None:
            return 0
        mine = self.rows[self.rows["annotator"] == name]
        return int(len(mine) if number is None else (mine["round"] == number).sum())


def learned(version: Version, source: RunSource) -> Learned:
    """Find it in what DVC keeps, and in the ledger as it was."""
    places = {path: kept(source.outputs.get(path)) for path in (MANIFEST, LABELS, PSEUDO)}
    lost = [f"{path} is kept no more" for path, place in places.items() if place is None and path in source.outputs]
    manifest = read_manifest(place, ["id", "path", "split", "sha256"]) if (place := places[MANIFEST]) else None
    found = read_labels(place) if (place := places[LABELS]) else None
    labels = dict(zip(found.ids, found.sources, strict=True)) if found else {}
    shipped = version.tags.get("shipped") == "pseudo_labels"
    pseudo = read_pseudo_labels(place) if (place := places[PSEUDO]) and shipped else None
    accepted = [one for one, yes in zip(pseudo.ids, pseudo.accepted, strict=True) if yes] if pseudo else []
    rows = _rows(source, manifest, labels)
    if rows is None:
        lost.append(f"{LEDGER} as it was then is no first part of what it is now")
    scratch = version.tags.get("shipped") == "scratch"
    return Learned(manifest, labels, frozenset(accepted), rows, lost, scratch)


def _rows(source: RunSource, manifest: pd.DataFrame | None, labels: Mapping[str, str]) -> pd.DataFrame | None:
    content = ledger_before(LEDGER, source.given(LEDGER))
    if content is None or manifest is None:
        return None
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / LEDGER.name
        path.write_bytes(content)
        every = answers(path, manifest)
    people = {one for one, origin in labels.items() if origin in PEOPLE}
    return every[every["id"].isin(people)].reset_index(drop=True)
