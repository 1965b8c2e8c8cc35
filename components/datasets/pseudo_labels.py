"""What a semi-supervised method believes of the unlabeled pool, once with all labels and once per held-out fold."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from components.core.errors import WinnowError
from components.core.files import replacing
from components.datasets.labels import lists, matrix

SCHEMA_NAMES = ("fold", "id", "distribution", "confidence", "status")


class Status(IntEnum):
    """Whether a sample is trained on, and if not, why: too little confidence; it looks like none of the labels; it is
    one of many near-duplicates; its folder, or its class, has had its share; its label is known and held out.
    """

    ACCEPTED = 0
    UNSURE = 1
    FOREIGN = 2
    COPY = 3
    FOLDER = 4
    CLASS = 5
    HELD_OUT = 6


STATUSES = [status.name.lower() for status in Status]


@dataclass(frozen=True)
class PseudoLabels:
    """Of `M` samples: calibrated class distributions `(M, K)`, confidences `(M,)` in 0..1, and `Status` `(M,)`."""

    ids: list[str]
    distributions: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]
    status: npt.NDArray[np.int8]

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        """`(M,)`: which to train on."""
        return np.equal(self.status, Status.ACCEPTED)


def read_pseudo_labels(path: Path, fold: int = -1) -> PseudoLabels:
    """The pseudo-labels made without fold `fold`'s labels; -1: made with all labels.

    Raises WinnowError where the file has none of that fold.
    """
    table = pq.read_table(path, filters=[("fold", "==", fold)])
    if not table.num_rows and fold != -1:
        raise WinnowError(f"{path} holds no pseudo-labels of fold {fold}: run `dvc repro pseudo_label` again.")
    return PseudoLabels(
        ids=table["id"].to_pylist(),
        distributions=matrix(table["distribution"]),
        confidence=table["confidence"].to_numpy().astype(np.float32),
        status=pd.Categorical(table["status"].to_pandas(), STATUSES).codes.astype(np.int8),
    )


def write_pseudo_labels(path: Path, by_fold: Mapping[int, PseudoLabels]) -> None:
    """Write all folds into one Parquet file, in the folds' order, a row group each."""
    tables = [_table(fold, by_fold[fold]) for fold in sorted(by_fold)]
    with replacing(path) as aside, pq.ParquetWriter(aside, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table)


def _table(fold: int, labels: PseudoLabels) -> pa.Table:
    columns = (
        pa.array(np.full(len(labels.ids), fold, np.int64)),
        pa.array(labels.ids, pa.string()),
        lists(labels.distributions),
        pa.array(labels.confidence.astype(np.float32)),
        pa.DictionaryArray.from_arrays(pa.array(labels.status, pa.int8()), STATUSES),
    )
    return pa.table(dict(zip(SCHEMA_NAMES, columns, strict=True)))
