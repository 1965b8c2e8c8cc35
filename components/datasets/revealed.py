"""What the source has revealed over the project's life: kept in git, because a label once looked at is spent."""

import csv
from pathlib import Path

from components.core.errors import WinnowError
from components.core.files import write_text
from components.core.integrity import MARKERS
from components.core.spreadsheet import harmless, plain

COLUMNS = ("id", "class")
PLACE = "data/label/revealed.csv"


def read_revealed(path: Path) -> dict[str, str]:
    """Classes by id, as they were revealed; empty where nothing was yet. Rows that two branches share count once.

    Raises WinnowError naming the line that is no row of it.
    """
    if not path.is_file():
        return {}
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    except (UnicodeDecodeError, csv.Error):
        raise WinnowError(f"{PLACE} is no CSV in UTF-8: restore it from git.") from None
    found = {}
    for number, row in enumerate(rows, 1):
        if len(row) != len(COLUMNS) or row[0].startswith(MARKERS):
            raise WinnowError(f"{PLACE}, line {number}: not a row of {','.join(COLUMNS)}: restore the file from git.")
        found[row[0]] = plain(row[1])
    found.pop(COLUMNS[0], None)
    return found


def write_revealed(path: Path, revealed: dict[str, str]) -> None:
    """Write the record, sorted by id."""
    names = {id_: str(harmless(name)).replace('"', '""') for id_, name in sorted(revealed.items())}
    lines = [f'{id_},"{name}"' for id_, name in names.items()]
    write_text(path, "\n".join([",".join(COLUMNS), *lines]) + "\n")
