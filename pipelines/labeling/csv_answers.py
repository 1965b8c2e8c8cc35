"""Answers out of a CSV file: the gallery's, an exported one that was filled in, or rows in the ledger's form."""

import csv
import io
from pathlib import Path

from components.core.errors import WinnowError
from components.core.spreadsheet import plain
from components.core.terminal import short
from components.datasets.ledger import COLUMNS
from pipelines.labeling.given import Answers, Given

NEEDED = ("id", "label")


def read_csv_answers(path: Path, content: bytes, annotator: str) -> Answers:
    """The rows with an answer. annotator: who gave those that do not say.

    Raises WinnowError for what is no such table.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WinnowError(f"{path} is not UTF-8 text (byte {error.start}): save it as CSV in UTF-8.") from None
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    try:
        rows = [(reader.line_num, [plain(cell.strip()) for cell in row]) for row in reader if "".join(row).strip()]
    except csv.Error as error:
        raise WinnowError(
            f"{path}, line {reader.line_num}: not valid CSV ({error}): is all of the file there?"
        ) from None
    columns = [name.lower() for name in rows[0][1]] if rows else []
    if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise WinnowError(f"{path} has several columns '{short(twice[0])}': leave one of them.")
    lacks = [name for name in (*NEEDED, *([] if annotator else ["annotator"])) if name not in columns]
    if lacks:
        raise WinnowError(
            f"{path} has no column '{lacks[0]}': its first line names the columns, id and label among them; whose "
            "answers they are says the column annotator, or --annotator NAME."
        )
    given, unanswered = list[Given](), 0
    for line, cells in rows[1:]:
        if len(cells) != len(columns):
            raise WinnowError(f"{path}, line {line}: {len(cells)} of {len(columns)} fields: is all of the file there?")
        row = dict(zip(columns, cells, strict=True))
        own = {name: row[name] for name in COLUMNS if row.get(name)} | {"id": row["id"], "label": row["label"]}
        if not row["label"] and not (row.get("at") or row.get("note")):
            unanswered += 1
            continue
        given.append(Given(f"line {line}", {"annotator": annotator, **own}, row.get("sha256", "")))
    unread = tuple(short(name) for name in columns if name not in (*COLUMNS, "sha256"))
    return Answers(given, unanswered, unread)
