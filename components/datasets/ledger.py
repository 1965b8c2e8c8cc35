"""The label ledger: append-only text in git, the only way a person's label comes in."""

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from components.core.config import nearest
from components.core.errors import WinnowError

COLUMNS = ("id", "label", "annotator", "source", "round", "cost", "at", "note")
SOURCES = ("given", "person", "rule", "oracle")
_TYPES = {"round": "int64", "cost": "float64"}


def read_ledger(path: Path) -> pd.DataFrame:
    """All rows in file order: text columns, `round` int64, `cost` float64; an empty `label` withdraws.

    Raises WinnowError naming the line and the column of the first row that does not keep the rules.
    """
    if not path.is_file():
        raise WinnowError(f"{path} is missing: restore it from git, or write one with the line {','.join(COLUMNS)}.")
    try:
        rows = list(_rows(path.read_text(encoding="utf-8-sig"), str(path)))
    except UnicodeDecodeError as error:
        raise WinnowError(f"{path} is not UTF-8 text (byte {error.start}): save it as CSV in UTF-8.") from None
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({name: _TYPES.get(name, "str") for name in COLUMNS})


def in_force(ledger: pd.DataFrame) -> pd.DataFrame:
    """The rows that count: of each annotator's rows for an id the last one, unless it withdraws the label."""
    last = ledger.drop_duplicates(["id", "annotator"], keep="last")
    return last[last["label"] != ""].reset_index(drop=True)


def append(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Add rows at the end, all or none, in one write; a column left out is empty. Raises as `read_ledger` does."""
    new = io.StringIO()
    writer = csv.writer(new, lineterminator="\n")
    for number, row in enumerate(rows, 1):
        unknown = sorted(set(row) - set(COLUMNS))
        if unknown:
            raise WinnowError(f"new row {number}: unknown column '{unknown[0]}': {nearest(unknown[0], list(COLUMNS))}")
        values = {name: str(row.get(name, "")) for name in COLUMNS}
        _check(values, f"new row {number}")
        writer.writerow(values.values())
    whole = path.is_file() and path.stat().st_size > 0
    start = "" if whole else ",".join(COLUMNS) + "\n"
    if whole:
        read_ledger(path)  # nothing is added to a broken file
        start = "" if path.read_bytes().endswith(b"\n") else "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        file.write((start + new.getvalue()).encode("utf-8"))
        os.fsync(file.fileno())


def _rows(text: str, where: str) -> Iterator[dict[str, object]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if tuple(header) != COLUMNS:
            raise WinnowError(f"{where}, line 1: the columns must be {','.join(COLUMNS)}, not {','.join(header)}.")
        for fields in reader:
            line = f"{where}, line {reader.line_num}"
            if len(fields) != len(COLUMNS):
                raise WinnowError(
                    f"{line}: {len(fields)} fields where {len(COLUMNS)} belong ({','.join(COLUMNS)}): complete it."
                )
            yield _check(dict(zip(COLUMNS, fields, strict=True)), line)
    except csv.Error as error:
        raise WinnowError(f"{where}, line {reader.line_num}: not valid CSV ({error}): close the quote there.") from None


def _check(row: dict[str, str], where: str) -> dict[str, object]:
    """The row with its numbers as numbers."""
    for name in ("id", "annotator"):
        if not row[name].strip():
            raise WinnowError(f"{where}, column {name}: empty, but every label has one.")
    if row["source"] not in SOURCES:
        raise WinnowError(f"{where}, column source: unknown '{row['source']}': {nearest(row['source'], list(SOURCES))}")
    if not (row["round"] or "0").isdecimal():
        raise WinnowError(f"{where}, column round: '{row['round']}' is not a whole number from 0.")
    try:
        cost = float(row["cost"] or 0)
    except ValueError:
        cost = math.nan
    if not 0 <= cost < math.inf:
        raise WinnowError(f"{where}, column cost: '{row['cost']}' is not a number from 0.")
    return {**row, "round": int(row["round"] or 0), "cost": cost}
