"""The list of all samples, sorted by id: its row numbers are the positions every other array refers to."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from components.core.errors import WinnowError

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("path", pa.string()),
        ("split", pa.string()),
        ("group", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("mode", pa.string()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
    ]
)
SPLITS = ("train", "test")


def read_manifest(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The manifest, or only the named columns of it; row number = position."""
    frame: pd.DataFrame = pq.read_table(path, columns=list(columns) if columns else None).to_pandas()
    return frame


def positions_of(manifest: pd.DataFrame, split: str) -> npt.NDArray[np.int64]:
    """`(M,)` int64 positions of one split (`train` or `test`), ascending."""
    return np.flatnonzero((manifest["split"] == split).to_numpy()).astype(np.int64)


def rows_of(wanted: Iterable[str], ids: Iterable[str], what: str) -> npt.NDArray[np.int64]:
    """`(W,)` row numbers of the wanted ids among `ids`.

    Raises WinnowError for one that is not there; `what` names the file or table that wants it.
    """
    asked = list(wanted)
    found = pd.Index(list(ids)).get_indexer(pd.Index(asked, dtype=object)).astype(np.int64)
    if (lost := found < 0).any():
        more = f" and {lost.sum() - 1} more" if lost.sum() > 1 else ""
        raise WinnowError(
            f"{what} names sample {asked[int(lost.argmax())]}{more}, which the samples it belongs to do not hold: run "
            "`winnow repro`, which makes both anew."
        )
    return found


def read_prepared(path: Path) -> dict[str, Any]:
    """The settings that the pictures were prepared with (`fit`, `span`), where they are not the usual ones."""
    prepared: dict[str, Any] = json.loads((pq.read_schema(path).metadata or {}).get(b"prepared", b"{}"))
    return prepared


def write_manifest(path: Path, manifest: pd.DataFrame, prepared: Mapping[str, Any] | None = None) -> None:
    """Write the manifest's columns in `SCHEMA`'s order and types, sorted by id; and what `read_prepared` says."""
    ordered = manifest.sort_values("id")
    schema = SCHEMA.with_metadata({"prepared": json.dumps(prepared, sort_keys=True)}) if prepared else SCHEMA
    pq.write_table(pa.Table.from_pandas(ordered[SCHEMA.names], schema=schema, preserve_index=False), path)
