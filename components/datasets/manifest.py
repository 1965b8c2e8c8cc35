"""The list of all samples, sorted by id: its row numbers are the positions every other array refers to."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from components.core.errors import WinnowError
from components.datasets.sample_store import LENGTH

SPLITS = ("train", "test")
TOGETHER = "together"  # the column of what is of one origin, such as a speaker, where `ingest.group` is set


def read_manifest(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The manifest, or only the named columns of it; row number = position."""
    frame: pd.DataFrame = pq.read_table(path, columns=list(columns) if columns else None).to_pandas()
    return frame


def positions_of(manifest: pd.DataFrame, split: str) -> npt.NDArray[np.int64]:
    """`(M,)` int64 positions of one split (`train` or `test`), ascending."""
    return np.flatnonzero((manifest["split"] == split).to_numpy()).astype(np.int64)


def has_origins(path: Path) -> bool:
    """Whether the manifest says of which origin each sample is (`ingest.group`)."""
    return TOGETHER in pq.read_schema(path).names


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


def schema_of(facts: pa.Schema, *, lengths: bool, origins: bool = False) -> pa.Schema:
    """Columns and types of a manifest whose samples have these facts; lengths: whether records differ in length;
    origins: whether it says of which origin each is."""
    named = ("id", "path", "split", "group", *([TOGETHER] if origins else []))
    first = [(name, pa.string()) for name in named]
    length = [(LENGTH, pa.int64())] if lengths else []
    return pa.schema([*first, *facts, *length, ("bytes", pa.int64()), ("sha256", pa.string())])


def write_manifest(path: Path, manifest: pd.DataFrame, facts: pa.Schema) -> None:
    """Write the manifest's columns in the schema's order and types, sorted by id."""
    schema = schema_of(facts, lengths=LENGTH in manifest, origins=TOGETHER in manifest)
    ordered = manifest.sort_values("id")[schema.names]
    pq.write_table(pa.Table.from_pandas(ordered, schema=schema, preserve_index=False), path)
