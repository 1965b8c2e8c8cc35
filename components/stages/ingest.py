"""Stage `ingest`: from whatever lies in a folder to a manifest, a sample store, a quarantine and an oracle."""

import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from components.core.config import StageParams
from components.core.errors import WinnowError
from components.datasets.duplicates import settle_copies
from components.datasets.manifest import write_manifest
from components.datasets.near_duplicates import near_duplicate_groups
from components.datasets.oracle import write_oracle
from components.datasets.quarantine import KINDS, Leaks, write_quarantine
from components.datasets.sample_store import Pixels, spooling, write_samples
from components.datasets.sources import Source, open_source, place_of
from components.datasets.split import assign_splits, leaking, name_groups
from components.modalities.image.decode import MAX_PIXELS
from components.modalities.image.reading import Reader

WATCHED = Path("data/raw")  # what DVC looks at


class Params(StageParams):
    """source: see `open_source`. leaks: what becomes of training pictures that are in the test split too."""

    source: str = "digits"
    root: Path = Path("data/raw")
    download: bool = False
    image_size: int = Field(32, ge=8, le=1024)
    channels: Literal[1, 3] = 1
    test_fraction: float = Field(0.2, gt=0, lt=1)
    leaks: Leaks = "refuse"
    max_pixels: int = Field(MAX_PIXELS, ge=1)


def run(
    *, params: Params, raw: Path, manifest: Path, samples: Path, quarantine: Path, oracle: Path
) -> dict[str, float]:
    """Read every picture of the source once; write the four files of `docs/architecture.md`."""
    source = open_source(params.source, root=params.root, download=params.download)
    _say_if_unwatched(params.source, source, raw)
    classes = source.classes()
    shape = (params.channels, params.image_size, params.image_size)
    with spooling(samples.with_name("spool.raw"), shape) as spool:
        found, rejected, hashes = Reader(params.image_size, params.channels, params.max_pixels).read(source, spool)
        if found.empty:
            raise WinnowError(_nothing(params.source, rejected))
        pictures = spool.pixels()
        kept, left_out = _settle(found, hashes, pictures, params)
        write_samples(samples, pictures, kept["row"].to_numpy(np.int64))
    left_out = pd.concat([rejected, left_out])
    write_manifest(manifest, kept)
    write_quarantine(quarantine, left_out, leaks=params.leaks)
    write_oracle(oracle, kept.loc[kept["label"].notna(), ["id", "label"]].rename(columns={"label": "class"}), classes)
    return _metrics(kept, left_out, classes)


def reads_beside(params: Params) -> list[Path]:
    """The folder or archive of the pictures where it is outside `data/raw`. What is to be downloaded is, first."""
    if params.download:
        open_source(params.source, root=params.root, download=True)
    place = place_of(params.source, params.root)
    if place is None or not place.exists() or place.resolve().is_relative_to(WATCHED.resolve()):
        return []
    return [place]


def _settle(found: pd.DataFrame, hashes: Pixels, pictures: Pixels, params: Params) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Copies, groups, splits and leaks: the manifest's rows sorted by id, with their spool `row`, and the rest."""
    found = found.assign(row=np.arange(len(found)), id=found["sha256"].str[:16])
    kept, left_out = settle_copies(found)
    kept = kept.sort_values("id").reset_index(drop=True)
    rows = kept["row"].to_numpy(np.int64)
    groups = near_duplicate_groups(hashes[rows], pictures, rows)
    kept["group"] = name_groups(kept["id"], groups)
    kept["split"] = assign_splits(kept, params.test_fraction)
    if params.leaks == "refuse":
        return kept, left_out
    leaks = leaking(kept)
    reason = "nearly the same picture is in the test split: " + leaks["twin"] + "."
    left_out = pd.concat([left_out, leaks[["path", "twin"]].assign(kind="leak", reason=reason)])
    stays = ~kept.index.isin(leaks.index)
    kept["group"] = name_groups(kept["id"].where(stays, "g"), groups)  # "g" sorts after every hexadecimal id
    return kept[stays].reset_index(drop=True), left_out


def _metrics(kept: pd.DataFrame, left_out: pd.DataFrame, classes: list[str]) -> dict[str, float]:
    splits, kinds = kept["split"].value_counts(), left_out["kind"].value_counts()
    return {
        "samples": float(len(kept)),
        "train": float(splits.get("train", 0)),
        "test": float(splits.get("test", 0)),
        "classes": float(len(classes)),
        "near_duplicates": float(len(kept) - kept["group"].nunique()),
        **{kind: float(kinds.get(kind, 0)) for kind in KINDS},
    }


def _nothing(source: str, rejected: pd.DataFrame) -> str:
    if rejected.empty:
        return f"ingest.source '{source}' is empty: put pictures there, one folder per class."
    first = rejected.sort_values("path").iloc[0]
    return (
        f"ingest.source '{source}' holds no readable picture among its {len(rejected)} files; "
        f"the first is {first['path']}: {first['reason']} Put pictures there, one folder per class."
    )


def _say_if_unwatched(name: str, source: Source, raw: Path) -> None:
    place = Path(name.removeprefix("folder:"))
    if hasattr(source, "folder") and not place.resolve().is_relative_to(raw.resolve()):
        print(
            f"  ingest: {place} is outside {raw}, where plain `dvc repro` looks for changes; "
            "`winnow repro` looks there too.",
            file=sys.stderr,
        )
