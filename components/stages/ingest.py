"""Stage `ingest`: from whatever lies in a folder to a manifest, a sample store, a quarantine and an oracle."""

import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from components.core.config import StageParams
from components.core.errors import WinnowError
from components.datasets.close_groups import check_groups
from components.datasets.duplicates import settle_copies
from components.datasets.identity import LENGTH, identity_of
from components.datasets.manifest import write_manifest
from components.datasets.near_duplicates import Closeness, near_duplicate_groups
from components.datasets.oracle import write_oracle
from components.datasets.quarantine import BESIDE, KINDS, Leaks, write_quarantine
from components.datasets.sample_store import Pixels, spooling, write_samples
from components.datasets.sources import Source, open_source, place_of, unused_by
from components.datasets.sources._outside import check_noted
from components.datasets.split import assign_splits, leaking, name_groups
from components.modalities.image.decode import MAX_PIXELS
from components.modalities.image.fitting import FULL, Preparation, Range
from components.modalities.image.losses import sentences
from components.modalities.image.reading import Read, Reader, common_span

_NAMED, _REASONS = 12, 3  # classes, and reasons of a kind, that are said

WATCHED = Path("data/raw")  # what DVC looks at


class Params(StageParams):
    """source: see `open_source`; classes: which of its folders are classes, where their names alone would mislead.

    leaks: what becomes of training pictures that are in the test split too; near_duplicates: how alike two pictures
    must be for that, `off`: copies of the same file alone. fit: what is kept of a picture that is no square;
    range: what becomes black and white where there are more than eight bits: `full`, the 16 bits' own 0 and 65535;
    `file`, each picture's lowest and highest value; `dataset`, those of all of them.
    """

    source: str = "digits"
    root: Path = Path("data/raw")
    download: bool = False
    image_size: int = Field(32, ge=8, le=1024)
    channels: Literal[1, 3] = 1
    test_fraction: float = Field(0.2, gt=0, lt=1)
    leaks: Leaks = "refuse"
    near_duplicates: Closeness = "close"
    classes: list[str] | None = None
    fit: Literal["crop", "pad", "stretch"] = "crop"
    range: Range = "full"
    max_pixels: int = Field(MAX_PIXELS, ge=1)

    def unused(self) -> dict[str, str]:
        """As the base says."""
        return unused_by(self.source)


def run(
    *, params: Params, raw: Path, manifest: Path, samples: Path, quarantine: Path, oracle: Path
) -> dict[str, float]:
    """Read every picture of the source once; write the four files of `docs/architecture.md`."""
    for place in reads_beside(params):
        check_noted(place, raw)
    source = open_source(params.source, root=params.root, download=params.download, classes=params.classes)
    _say_if_unwatched(params.source, source, raw)
    classes = source.classes()
    how = _preparation(params, source)
    shape = (params.channels, params.image_size, params.image_size)
    with spooling(samples.with_name("spool.raw"), shape) as spool:
        read = Reader(how, params.max_pixels).read(source, spool)
        if read.found.empty:
            raise WinnowError(_nothing(params.source, read.rejected))
        pictures = spool.pixels()
        kept, left_out, odd = _settle(read, pictures, params)
        write_samples(samples, pictures, kept["row"].to_numpy(np.int64))
    left_out = pd.concat([read.rejected, left_out])
    write_manifest(manifest, kept, prepared=how.unusual())
    losses = sentences(read.lost, len(read.found))
    write_quarantine(quarantine, left_out, leaks=params.leaks, losses=losses)
    write_oracle(oracle, kept.loc[kept["label"].notna(), ["id", "label"]].rename(columns={"label": "class"}), classes)
    for sentence in [*_found(kept, left_out, classes), *source.notices(), *odd, *losses]:
        print(f"  ingest: {sentence}", file=sys.stderr)
    lost = {f"lost_{name}": float(count) for name, count in sorted(read.lost.items())}
    return {**_metrics(kept, left_out, classes), **lost}


def reads_beside(params: Params) -> list[Path]:
    """The folder or archive of the pictures where it is outside `data/raw`. What is to be downloaded is, first."""
    if params.download:
        open_source(params.source, root=params.root, download=True, classes=params.classes)
    place = place_of(params.source, params.root)
    if place is None or not place.exists() or place.resolve().is_relative_to(WATCHED.resolve()):
        return []
    return [place]


def _preparation(params: Params, source: Source) -> Preparation:
    span: tuple[float, float] | None = FULL
    if params.range == "file":
        span = None
    elif params.range == "dataset":
        span = common_span(source, params.max_pixels) or FULL
    return Preparation(params.image_size, params.channels, params.fit, span)


def _settle(read: Read, pictures: Pixels, params: Params) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Copies, groups, splits and leaks: the manifest's rows sorted by id, with their spool `row`; the rest; oddities.

    Raises WinnowError where the groups cannot be right.
    """
    found = read.found.assign(row=np.arange(len(read.found)), id=read.found["sha256"].map(identity_of))
    kept, left_out = settle_copies(found)
    kept = kept.sort_values("id").reset_index(drop=True)
    rows = kept["row"].to_numpy(np.int64)
    groups = near_duplicate_groups(read.hashes[rows], pictures, rows, params.near_duplicates)
    kept["group"] = name_groups(kept["id"], groups)
    drawn_by = name_groups(kept["sha256"].str[:LENGTH], groups)  # not by ids: their form may change, no split with it
    split = assign_splits(kept.assign(group=drawn_by), params.test_fraction)
    kept = kept.assign(given=kept["split"], split=split)
    odd = check_groups(kept, params.near_duplicates)
    if params.leaks == "refuse":
        return kept, left_out, odd
    leaks = leaking(kept)
    reason = "nearly the same picture is in the test split: " + leaks["twin"] + "."
    left_out = pd.concat([left_out, leaks[["path", "twin"]].assign(id=kept["id"]).assign(kind="leak", reason=reason)])
    stays = ~kept.index.isin(leaks.index)
    kept["group"] = name_groups(kept["id"].where(stays, "g"), groups)  # "g" sorts after every hexadecimal id
    return kept[stays].reset_index(drop=True), left_out, odd


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


def _found(kept: pd.DataFrame, left_out: pd.DataFrame, classes: list[str]) -> list[str]:
    """The classes with how many pictures each, and what lies beside the pictures."""
    counts = kept["label"].value_counts().reindex(classes, fill_value=0)
    each = ", ".join(f"{name} {count:,}" for name, count in counts[:_NAMED].items())
    if len(classes) > _NAMED:
        each = f"{counts.min():,} to {counts.max():,} pictures of each ({each}, ...)"
    unlabeled = int(kept["label"].isna().sum())
    rest = f"{unlabeled:,} pictures without a class"
    said = [f"{len(classes):,} classes: {each}" + (f"; {rest}" if unlabeled else "") + "." if classes else f"{rest}."]
    for kind in BESIDE:
        rows = left_out[left_out["kind"] == kind].sort_values("path")
        reasons = rows["reason"].value_counts()
        said += [
            f"{count:,} files left out, such as {rows.loc[rows['reason'] == reason, 'path'].iloc[0]}: {reason}"
            for reason, count in reasons[:_REASONS].items()
        ]
    return said


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
