"""Rows of the ledger said again with another label, which is how a row is changed: by one after it."""

import pandas as pd

from components.datasets.ledger import append
from components.datasets.moment import moment
from pipelines.labeling.places import LEDGER

COLUMNS = ["id", "label", "annotator", "source", "round", "at", "note"]


def say_again(rows: pd.DataFrame, label: str, note: str) -> None:
    """Append the rows with this label, empty to withdraw; each counts as the latest of its annotator for its id."""
    at = [moment(*when) for when in rows[["at", "time"]].values]
    values = rows.assign(at=at, label=label, note=note)[COLUMNS].itertuples(index=False)
    append(LEDGER, [dict(zip(COLUMNS, row, strict=True)) for row in values])
