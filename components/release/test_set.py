"""Which test samples figures are of, in one digest: two versions are compared where these are the same."""

import hashlib
from pathlib import Path

import pyarrow.parquet as pq

TAG = "test_set"  # of a version


def test_digest(predictions: Path) -> str:
    """sha256 over id and actual class of each test row, in the order of ids."""
    table = pq.read_table(predictions, columns=["id", "actual"])
    rows = sorted(zip(table["id"].to_pylist(), table["actual"].to_pylist(), strict=True))
    return hashlib.sha256("".join(f"{one}\0{name}\n" for one, name in rows).encode()).hexdigest()
