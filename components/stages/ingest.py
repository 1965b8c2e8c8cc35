"""Stage `ingest`: from whatever lies in a folder to a manifest, a sample store, a quarantine and an oracle."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from pydantic import Field

from components.core.config import PluginChoice, StageParams
from components.core.errors import WinnowError
from components.datasets.close_groups import check_groups
from components.datasets.duplicates import settle_copies
from components.datasets.grouping import Rows, group_samples, leaks_of, said_of
from components.datasets.identity import LENGTH as ID_LENGTH
from components.datasets.identity import identity_of
from components.datasets.manifest import TOGETHER, write_manifest
from components.datasets.near_duplicates import Closeness
from components.datasets.oracle import write_oracle
from components.datasets.quarantine import BESIDE, KINDS, Leaks, write_quarantine
from components.datasets.reading import Read, Reader, contents, losses
from components.datasets.sample_store import LENGTH, About, Store, spooling, write_samples
from components.datasets.sources import Columns, Source, open_source, place_of, unused_by
from components.datasets.sources._outside import check_noted
from components.datasets.split import assign_splits, name_groups
from components.datasets.together import Group, leaking_origins, origins, whole_splits
from components.modalities import Modality, build_modality

FOLDERS = ", one folder per class"
_NAMED, _REASONS = 12, 3  # classes, and reasons of a kind, that are said

WATCHED = Path("data/raw")  # what DVC looks at


class Params(StageParams):
    """source: see `open_source`; classes: which of its folders are classes, where their names alone would mislead;
    columns: of a table, which hold what, where their names do not say it; group: what says which samples are of one
    origin, such as a speaker, and so on one side of every split.

    modality: the kind of data and how its records are made; leaks: what becomes of training samples that are in the
    test split too; near_duplicates: how alike two samples must be for that, `off`: copies of the same file alone.
    """

    source: str = "digits"
    modality: PluginChoice = PluginChoice(name="image")
    root: Path = Path("data/raw")
    download: bool = False
    test_fraction: float = Field(0.2, gt=0, lt=1)
    leaks: Leaks = "refuse"
    near_duplicates: Closeness = "close"
    classes: list[str] | None = None
    columns: Columns | None = None
    group: Group | None = None

    moved: ClassVar[dict[str, str]] = {
        name: f"ingest.modality.{name}" for name in ("image_size", "channels", "fit", "range", "max_pixels")
    }

    def unused(self) -> dict[str, str]:
        """As the base says."""
        return unused_by(self.source)


def run(
    *, params: Params, raw: Path, manifest: Path, samples: Path, quarantine: Path, oracle: Path
) -> dict[str, float]:
    """Read every sample of the source once; write the files of `docs/architecture.md`."""
    for place in reads_beside(params):
        check_noted(place, raw)
    modality = build_modality(params.modality)
    source = _open(params, modality)
    _say_if_unwatched(params.source, source, raw)
    classes = source.classes()
    if modality.surveys:
        modality = modality.survey(contents(source, modality))
    about = About(modality=modality.choice, dtype=modality.dtype, shape=modality.shape)
    with spooling(samples.with_name("spool.raw"), about) as spool:
        read = Reader(modality).read(source, spool)
        if read.found.empty:
            raise WinnowError(_nothing(params.source, read.rejected, modality, "" if source.endings else FOLDERS))
        records = spool.samples()
        settled = _settle(read, records, modality, params)
        kept = settled.kept
        write_samples(samples, records, kept["row"].to_numpy(np.int64))
    left_out = pd.concat([read.rejected, settled.left_out])
    write_manifest(manifest, kept, modality.facts)
    lost = [*losses(modality.losses, read.lost, modality.noun[1], len(read.found)), *settled.seen]
    write_quarantine(quarantine, left_out, leaks=params.leaks, losses=lost, ways=settled.ways)
    write_oracle(oracle, kept.loc[kept["label"].notna(), ["id", "label"]].rename(columns={"label": "class"}), classes)
    for sentence in [*_found(kept, left_out, classes, modality.noun[1]), *source.notices(), *settled.odd, *lost]:
        print(f"  ingest: {sentence}", file=sys.stderr)
    counts = {f"lost_{name}": float(count) for name, count in sorted(read.lost.items())}
    return {**_metrics(kept, left_out, classes), **counts}


def reads_beside(params: Params) -> list[Path]:
    """The folder or archive of the pictures where it is outside `data/raw`. What is to be downloaded is, first."""
    if params.download:
        _open(params, build_modality(params.modality))
    place = place_of(params.source, params.root)
    if place is None or not place.exists() or place.resolve().is_relative_to(WATCHED.resolve()):
        return []
    return [place]


def _open(params: Params, modality: Modality) -> Source:
    return open_source(
        params.source,
        root=params.root,
        download=params.download,
        classes=params.classes,
        suffixes=modality.suffixes,
        columns=params.columns,
        origin=params.group.column if params.group else None,
        kind=modality.gives,
    )


@dataclass(frozen=True)
class _Settled:
    """The manifest's rows sorted by id, with their spool `row`; the rest; sentences on odd groups, and on altered
    copies and blank samples; and of leaks that stay, how they do: see `read_ways`."""

    kept: pd.DataFrame
    left_out: pd.DataFrame
    odd: list[str]
    seen: list[str]
    ways: dict[str, tuple[str, str]]


def _settle(read: Read, records: Store, modality: Modality, params: Params) -> _Settled:
    """Copies, groups, splits and leaks.

    Raises WinnowError where the groups cannot be right.
    """
    found = read.found.assign(row=np.arange(len(read.found)), id=read.found["sha256"].map(identity_of))
    kept, left_out = settle_copies(found, modality.noun[0])
    if kept.empty:
        raise WinnowError(_all_contradicted(params.source, left_out, modality))
    kept = kept.sort_values("id").reset_index(drop=True)
    rows = kept["row"].to_numpy(np.int64)
    prints = None if read.fingerprints is None else read.fingerprints[rows]
    blank = read.blank[rows]
    groups, altered = group_samples(modality, records, rows, prints, blank, params.near_duplicates)
    if records.starts is not None:
        kept[LENGTH] = np.diff(records.starts)[rows]
    kept["group"] = name_groups(kept["id"], groups)
    kept = _split(kept, groups, params)
    shared = modality.shared_by_many(records.record, rows)
    odd = check_groups(kept, params.near_duplicates, shared)
    one = modality.noun[0]
    seen = [*said_of(altered, kept["path"], blank, modality.noun), *shared]
    leaks = leaks_of(kept, altered, modality)
    if params.leaks == "refuse":
        ways = dict(zip(leaks["path"], zip(leaks["twin"], leaks["how"], strict=True), strict=True))
        return _Settled(kept, left_out, odd, seen, ways)
    reason = [
        f"{f'the same {one}, {how},' if how else f'nearly the same {one}'} is in the test split: {twin}."
        for how, twin in zip(leaks["how"], leaks["twin"], strict=True)
    ]
    gone = leaks[["path", "twin"]].assign(reason=reason)
    if params.group:
        gone = pd.concat([gone, leaking_origins(kept).drop(gone.index, errors="ignore")])
    ids = kept.loc[gone.index, "id"]  # an empty frame would take over all rows of a longer column
    left_out = pd.concat([left_out, gone.assign(id=ids, kind="leak")])
    stays = ~kept.index.isin(gone.index)
    kept["group"] = name_groups(kept["id"].where(stays, "g"), groups)  # "g" sorts after every hexadecimal id
    return _Settled(kept[stays].reset_index(drop=True), left_out, odd, seen, {})


def _split(kept: pd.DataFrame, groups: Rows, params: Params) -> pd.DataFrame:
    """With what the source says of splits as `given`, and each sample's origin where these are asked for."""
    if params.group:
        kept[TOGETHER] = origins(kept, params.group)
        split = whole_splits(kept, groups, params.test_fraction)
    else:
        kept = kept.drop(columns=TOGETHER)
        drawn_by = name_groups(kept["sha256"].str[:ID_LENGTH], groups)  # not by ids, whose form may change
        split = assign_splits(kept.assign(group=drawn_by), params.test_fraction)
    return kept.assign(given=kept["split"], split=split)


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


def _found(kept: pd.DataFrame, left_out: pd.DataFrame, classes: list[str], noun: str) -> list[str]:
    """The classes with how many samples each, and what lies beside the samples."""
    counts = kept["label"].value_counts().reindex(classes, fill_value=0)
    each = ", ".join(f"{name} {count:,}" for name, count in counts[:_NAMED].items())
    if len(classes) > _NAMED:
        each = f"{counts.min():,} to {counts.max():,} {noun} of each ({each}, ...)"
    unlabeled = int(kept["label"].isna().sum())
    rest = f"{unlabeled:,} {noun} without a class"
    said = [f"{len(classes):,} classes: {each}" + (f"; {rest}" if unlabeled else "") + "." if classes else f"{rest}."]
    for kind in BESIDE:
        rows = left_out[left_out["kind"] == kind].sort_values("path")
        reasons = rows["reason"].value_counts()
        said += [
            f"{count:,} files left out, such as {rows.loc[rows['reason'] == reason, 'path'].iloc[0]}: {reason}"
            for reason, count in reasons[:_REASONS].items()
        ]
    return said


def _nothing(source: str, rejected: pd.DataFrame, modality: Modality, where: str) -> str:
    """where: how samples lie in such a source, one a row where that is not said."""
    one, many = modality.noun
    where = where or f", one {one} a row"
    if rejected.empty:
        return f"ingest.source '{source}' is empty: put {many} there{where}."
    first = rejected.sort_values("path").iloc[0]
    return (
        f"ingest.source '{source}' holds no readable {one} among its {len(rejected)} files; "
        f"the first is {first['path']}: {first['reason']} Put {many} there{where}."
    )


def _all_contradicted(source: str, left_out: pd.DataFrame, modality: Modality) -> str:
    first = left_out.sort_values("path").iloc[0]
    return (
        f"ingest.source '{source}' has every {modality.noun[0]} in several classes, so none is left to learn from; "
        f"the first is {first['path']}: {first['reason']} Leave each in one class."
    )


def _say_if_unwatched(name: str, source: Source, raw: Path) -> None:
    place = Path(name.removeprefix("folder:").removeprefix("clips:"))
    if (source.files or source.endings) and not place.resolve().is_relative_to(raw.resolve()):
        print(
            f"  ingest: {place} is outside {raw}, where plain `dvc repro` looks for changes; "
            "`winnow repro` looks there too.",
            file=sys.stderr,
        )
