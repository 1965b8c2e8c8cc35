"""CSV that a person opens in a spreadsheet: no cell is taken for a formula, whatever its text begins with."""

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of one


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table as CSV text. A text that would be a formula gets a quote before it, which spreadsheets do not show;
    numbers stay numbers.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: object) -> object:
    """The cell, a text that begins like a formula behind a quote."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
