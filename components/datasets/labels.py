"""The labels in force: which samples are labeled, with what, from where, and in which validation fold."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from components.core.files import replacing

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Labels:
    """`L` labeled training samples.

    distributions: `(L, K)`, rows sum to 1, columns in the order of `classes`; sources: `given`, `person`, `rule` or
    `oracle`; folds: `(L,)`, the validation fold that holds a label out, or -1 for a label that is never held out.
    synthetic: how many labels of made pictures are in force beside these (see `datasets/synthetic.py`).
    ruled: how many of these, the last ones, are votes of the table of rules. They cost no budget and are truth to
    nobody; they stand here only while a class that they speak for has no other label.
    """

    ids: list[str]
    distributions: Floats
    sources: list[str]
    folds: npt.NDArray[np.int64]
    classes: list[str]
    synthetic: int = 0
    ruled: int = 0

    @property
    def used(self) -> int:
        """How many labels of the budget are spent."""
        return len(self.ids) - self.ruled + self.synthetic

    @property
    def vouched(self) -> "Labels":
        """Those that somebody or the source answers for: all but the rules'."""
        count = len(self.ids) - self.ruled
        return replace(
            self,
            ids=self.ids[:count],
            distributions=self.distributions[:count],
            sources=self.sources[:count],
            folds=self.folds[:count],
            ruled=0,
        )


def read_labels(path: Path) -> Labels:
    """Read what `write_labels` wrote."""
    table = pq.read_table(path)
    return Labels(
        ids=table["id"].to_pylist(),
        distributions=matrix(table["distribution"]),
        sources=table["source"].to_pylist(),
        folds=table["fold"].to_numpy().astype(np.int64),
        classes=json.loads(table.schema.metadata[b"classes"]),
        synthetic=int(table.schema.metadata[b"synthetic"]),
        ruled=int(table.schema.metadata.get(b"ruled", 0)),
    )


def write_labels(path: Path, labels: Labels) -> None:
    """Write labels as Parquet: `id`, `distribution`, `source`, `fold`; the rest in its metadata."""
    ruled = {"ruled": str(labels.ruled)} if labels.ruled else {}
    table = pa.table(
        {
            "id": pa.array(labels.ids, pa.string()),
            "distribution": lists(labels.distributions),
            "source": pa.array(labels.sources, pa.string()),
            "fold": pa.array(labels.folds, pa.int64()),
        },
        metadata={"classes": json.dumps(labels.classes), "synthetic": str(labels.synthetic), **ruled},
    )
    with replacing(path) as aside:
        pq.write_table(table, aside)


def lists(rows: Floats) -> pa.FixedSizeListArray:
    """`(N, K)` floats as an Arrow column of lists, without a Python object per number."""
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.astype(np.float32).reshape(-1)), rows.shape[1])


def matrix(column: pa.ChunkedArray) -> Floats:
    """The `(N, K)` floats of a column that `lists` made."""
    values = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.array(values, np.float32).reshape(-1, column.type.list_size)
