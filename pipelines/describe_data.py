"""`winnow export --format croissant`: the data set's tables, and what others' tools need to read them."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from components.core.errors import WinnowError
from components.core.files import replacing, write_text
from components.datasets.labels import read_labels
from components.datasets.manifest import read_manifest
from components.datasets.sample_store import open_samples
from components.modalities import build_modality
from components.release.croissant import FILE, Owned, croissant
from pipelines.settings import model_name

MANIFEST, SAMPLES = Path("data/ingest/manifest.parquet"), Path("data/ingest/samples.npy")
LABELS = Path("data/label/labels.parquet")


def owner(license_url: str, creator: str, url: str) -> Owned:
    """What the owner of the data says, as of today. Raises WinnowError where something is missing."""
    owned = Owned(license_url, creator, url, f"{datetime.now(UTC):%Y-%m-%d}")
    owned.check()
    if not MANIFEST.is_file():
        raise WinnowError(f"{MANIFEST} is missing: run `winnow repro`, which lists the samples.")
    return owned


def describe_data(folder: Path, owned: Owned) -> list[Path]:
    """Write the tables and `croissant.json` into `folder`; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    noun = build_modality(open_samples(SAMPLES).about.modality).noun
    tables = {"samples": (folder / "samples.parquet", f"A {noun[0]}: its id, where it is, and which split it is of.")}
    with replacing(tables["samples"][0]) as aside:
        shutil.copyfile(MANIFEST, aside)
    if LABELS.is_file():
        tables["labels"] = (folder / "labels.parquet", f"The class of a training {noun[0]}, and who said so.")
        _write_labels(tables["labels"][0])
    splits = read_manifest(MANIFEST, ["split"])["split"].value_counts().to_dict()
    counted = " and ".join(f"{splits[name]:,} to {name} with" for name in ("train", "test") if name in splits)
    about = f"{sum(splits.values()):,} {noun[1]}, {counted}; the files themselves are at the address of the data set."
    write_text(folder / FILE, json.dumps(croissant(model_name(), about, owned, tables), indent=2) + "\n")
    return [folder / FILE, *(path for path, _ in tables.values())]


def _write_labels(target: Path) -> None:
    found = read_labels(LABELS).vouched
    names = [found.classes[row] for row in found.distributions.argmax(1)]
    table = pa.table({"id": pa.array(found.ids, pa.string()), "class": names, "source": list(found.sources)})
    with replacing(target) as aside:
        pq.write_table(table, aside)
