"""What the table of rules says of training samples: weak labels by id, and a row of figures for each rule."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from components.core.files import replacing, write_text
from components.core.spreadsheet import frame_to_csv, plain
from components.datasets.labels import Floats, lists, matrix

FIGURES = ("rule", "kind", "pattern", "class", "line", "matches", "shared", "conflicts", "labeled", "right")
_TEXTS = ("rule", "kind", "pattern", "class")


def write_rule_labels(path: Path, ids: list[str], distributions: Floats) -> None:
    """Write `(R, K)` distributions by id, ids sorted; without rules there are none."""
    with replacing(path) as aside:
        pq.write_table(pa.table({"id": pa.array(ids, pa.string()), "distribution": lists(distributions)}), aside)


def read_rule_labels(path: Path) -> tuple[list[str], Floats]:
    """As `write_rule_labels` was given them."""
    table = pq.read_table(path)
    return table["id"].to_pylist(), matrix(table["distribution"])


def write_rule_figures(path: Path, figures: pd.DataFrame) -> None:
    """Write a row per rule, columns `FIGURES`, in the order of the table of rules."""
    write_text(path, frame_to_csv(figures))


def read_rule_figures(path: Path) -> pd.DataFrame:
    """As `write_rule_figures` was given them."""
    table = pd.read_csv(path, dtype=dict.fromkeys(_TEXTS, str), keep_default_na=False)
    return table.assign(**{name: table[name].map(plain) for name in _TEXTS})
