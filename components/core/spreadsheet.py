"""CSV that a person opens in a spreadsheet: no cell is taken for a formula, whatever its text begins with."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

import pandas as pd

# What a spreadsheet takes for the beginning of a formula (wide letters too, where they are typed), behind any quotes.
FORMULA = r"^'*[=+\-@\t\r\n＝＋－＠]"
_FORMULA = re.compile(FORMULA)


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table as CSV text. A text that would be a formula gets a quote before it; numbers stay numbers."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def frame_to_csv(frame: pd.DataFrame, number: str | None = None) -> str:
    """The same of a data frame, without its index. number: how its floats are written, such as `%.6f`."""
    texts = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    cells = frame.assign(**{str(name): frame[name].map(harmless) for name in texts})
    return cells.to_csv(index=False, lineterminator="\n", float_format=number)


def harmless(cell: object) -> object:
    """The cell, a text that begins like a formula behind one quote (more)."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def plain(text: str) -> str:
    """The text that `harmless` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
