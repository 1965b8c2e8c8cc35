"""Ground truth, kept apart from all that training reads: asked one id at a time, like a person."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SCHEMA = pa.schema([("id", pa.string()), ("class", pa.string())])


def read_classes(path: Path) -> list[str]:
    """Names of all classes, sorted: the order of every class distribution. Empty where the source knows no classes."""
    classes: list[str] = json.loads(pq.read_schema(path).metadata[b"classes"])
    return classes


def reveal(path: Path, ids: Sequence[str]) -> list[str | None]:
    """The true class of each id, in the order of `ids`; None where the source does not know it."""
    truth = pq.read_table(path)
    found = pc.index_in(pa.array(ids, pa.string()), value_set=truth["id"])
    classes: list[str | None] = truth["class"].take(found).to_pylist()
    return classes


def read_oracle(path: Path) -> pd.DataFrame:
    """Columns `id` and `class`, one row per sample whose truth is known, sorted by id."""
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame


def write_oracle(path: Path, truth: pd.DataFrame, classes: Sequence[str]) -> None:
    """Write the truth (columns `id`, `class`) and the list of all classes, which also holds those without a sample."""
    schema = SCHEMA.with_metadata({"classes": json.dumps(sorted(classes))})
    pq.write_table(pa.Table.from_pandas(truth.sort_values("id"), schema=schema, preserve_index=False), path)
