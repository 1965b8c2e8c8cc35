"""What was left out and why: one row per file, nothing disappears without a word."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema([(name, pa.string()) for name in ("path", "kind", "reason", "twin", "id")])
BESIDE = ("no_picture", "unread_format")  # files that are no damaged pictures: no limit counts them
KINDS = ("unreadable", "unsafe", *BESIDE, "duplicate", "conflict", "leak")
Leaks = Literal["refuse", "drop"]


def read_quarantine(path: Path) -> pd.DataFrame:
    """Columns `path`, `kind` (one of `KINDS`), `reason` (a sentence), `twin` (the picture it clashes with,
    or null), `id` (or null)."""
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame


def read_leaks(path: Path) -> str:
    """What `ingest.leaks` was when this was written: `refuse` or `drop`."""
    return str(pq.read_schema(path).metadata[b"leaks"].decode())


def read_losses(path: Path) -> list[str]:
    """What reached the samples only in part, a sentence for each kind of loss."""
    losses: list[str] = json.loads(pq.read_schema(path).metadata.get(b"losses", b"[]"))
    return losses


def read_ways(path: Path) -> dict[str, tuple[str, str]]:
    """Of training samples that are in the test split too: the test sample and how it differs, such as `cropped`."""
    ways = json.loads(pq.read_schema(path).metadata.get(b"ways", b"{}"))
    return {path: (twin, how) for path, (twin, how) in ways.items()}


def write_quarantine(
    path: Path,
    rows: pd.DataFrame,
    *,
    leaks: Leaks,
    losses: Sequence[str] = (),
    ways: Mapping[str, tuple[str, str]] | None = None,
) -> None:
    """Write the rows sorted by path, with the `ingest.leaks` setting they were made under.

    losses: sentences on what of the files that were not left out is lost; ways: see `read_ways`, of such.
    """
    ordered = rows.reindex(columns=SCHEMA.names).sort_values(["path", "kind"])
    table = pa.Table.from_pandas(ordered, schema=SCHEMA, preserve_index=False)
    kept = {"losses": json.dumps(list(losses))} if losses else {}
    if ways:
        kept["ways"] = json.dumps(ways)
    pq.write_table(table.replace_schema_metadata({"leaks": leaks, **kept}), path)
