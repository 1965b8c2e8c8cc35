"""The label ledger: append-only text in git, the only way a person's label comes in."""

import csv
import errno
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from components.core.config import did_you_mean
from components.core.errors import WinnowError
from components.core.integrity import MARKERS
from components.core.lock import locked
from components.core.spreadsheet import plain, to_csv
from components.core.terminal import short
from components.datasets.names import normal, unprintable

COLUMNS = ("id", "label", "annotator", "source", "round", "cost", "at", "note")
SOURCES = ("given", "person", "rule", "oracle")
PASSES = ("cannot tell", "none of these")  # notes of rows without a label that answer all the same: not asked again
AGAIN, UNDONE = "asked again", "undone"  # notes of an old question's second answer, and of an answer taken back
LONGEST, LAST_ROUND = 130_000, 999_999_999  # letters of a field, of which a reader of CSV takes 131,072; rounds
_TYPES = {"round": "int64", "cost": "float64", "line": "int64", "time": "float64", "day": "int64"}
_ALL = (*COLUMNS, "line", "time", "day")
_NAMES = ("label", "annotator")
_WHOSE = ["id", "annotator"]
_MARK = "\ufeff"  # the byte order mark
_BLANK = re.compile(rf"[\s;{_MARK}\x1a]*")  # what a row without content may hold: other separators, an old end of file
_BLOCK = 50_000  # rows that are Python objects at a time
_DATE = len("2026-03-01")  # characters, at most, of a date without a time
_COST = re.compile(r"(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WAIT = 60.0  # seconds for somebody else who writes
_BUSY = "another program (process {pid}) has been writing the ledger for a minute: stop it, or wait for it."
Row = Mapping[str, object]


def read_ledger(path: Path) -> pd.DataFrame:
    """All rows with content in file order: text columns, `round` int64, `cost` float64, `line` int64 (where it ends),
    `time` float64 (seconds since 1970 of `at`, UTC where it names no zone; nan without), `day` int64 (of the calendar,
    as written). An empty `label` withdraws.

    Blank rows, repeated headers and empty columns beyond the last are skipped; the file is read in blocks. Raises
    WinnowError naming the line and the column of the first row that does not keep the rules.
    """
    if not path.is_file():
        raise WinnowError(f"{path} is missing: restore it from git, or write one with the line {','.join(COLUMNS)}.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _rows(file, str(path))
            blocks = iter(lambda: list(islice(rows, _BLOCK)), [])
            frames = [_typed(pd.DataFrame(block, columns=list(_ALL))) for block in blocks]
    except UnicodeDecodeError as error:
        raise WinnowError(
            f"{path} is not UTF-8 text (byte {_broken_byte(path, error.start)}): save it as CSV in UTF-8."
        ) from None
    ledger = pd.concat(frames, ignore_index=True) if frames else _typed(pd.DataFrame([], columns=list(_ALL)))
    _refuse_unordered(ledger, path)
    return ledger


def in_force(ledger: pd.DataFrame) -> pd.DataFrame:
    """The rows that count: of each annotator's rows for an id the last one, unless it withdraws the label."""
    last = standing(ledger)
    return last[last["label"] != ""].reset_index(drop=True)


def standing(ledger: pd.DataFrame) -> pd.DataFrame:
    """Of each annotator's rows for an id the last one, in file order: a label, a pass (see `passed`), or a withdrawal.

    Last is the latest `at`; rows of the same time, by their place in the file. A row without `at` counts as written
    when the newest row above it (of that annotator for that id) was; one with a date alone, as the newest of that day.
    """
    whose = _whose(ledger)
    last = ~whose.loc[_in_time(ledger, whose)].duplicated(keep="last").sort_index()
    return ledger[last].reset_index(drop=True)


def passed(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows answer without a label: "cannot tell" or "none of these", each the first word of its note."""
    return (rows["label"] == "") & _noted(rows, *PASSES)


def passed_over(path: Path) -> set[str]:
    """Ids that people answered without a label, where none of them gave one. Raises as `read_ledger` does."""
    last = standing(read_ledger(path))
    return set(last.loc[passed(last), "id"]) - set(last.loc[last["label"] != "", "id"])


def _noted(rows: pd.DataFrame, *notes: str) -> "pd.Series[bool]":
    """Which rows have one of these as a part of their note; parts are separated by `; `."""
    return rows["note"].map(lambda note: not set(notes).isdisjoint(note.split("; "))).astype(bool)


def without_effect(ledger: pd.DataFrame) -> dict[str, list[int]]:
    """Lines of rows that change nothing: they repeat what their annotator had said, withdraw what was not there, or are
    older by `at` than a row above them of the same annotator for that id (a year mistyped, say), which still counts."""
    whose = _whose(ledger)
    order = _in_time(ledger, whose)
    label = ledger["label"].loc[order]
    place = pd.Series(range(len(order)), order, dtype="int64").sort_index()
    older = place < place.groupby(whose).cummax()
    said = passed(ledger).loc[order].groupby(whose).shift(fill_value=False)
    same = ((label == label.groupby(whose).shift(fill_value="")) & ~said).sort_index() & ~older
    same &= ~_noted(ledger, *PASSES, AGAIN, UNDONE)  # these say something all the same
    empty = ledger["label"] == ""
    found = {"repeats": same & ~empty, "withdrawals": same & empty, "older": older}
    return {name: sorted(ledger["line"][rows]) for name, rows in found.items()}


def undated(ledger: pd.DataFrame) -> pd.DataFrame:
    """The rows whose `at` is no date, so that their place in the file alone says when they were written."""
    return ledger[(ledger["at"] != "") & ledger["time"].isna()]


def _refuse_unordered(ledger: pd.DataFrame, path: Path) -> None:
    odd = undated(ledger)
    if odd.empty:
        return
    odd = odd[ledger.duplicated(_WHOSE, keep=False).loc[odd.index]]
    if len(odd):
        line, at = odd.iloc[0][["line", "at"]]
        raise WinnowError(
            f"{path}, line {line}, column at: '{short(at)}' is no date such as 2026-03-01T10:00:00Z, and which of "
            "several rows of one annotator for one id counts depends on it: mend it."
        )


def _broken_byte(path: Path, start: int) -> int:
    """Where in the whole file its bytes stop being UTF-8: a decoder that reads in parts counts within its part."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return start


def _whose(ledger: pd.DataFrame) -> "pd.Series[int]":
    """One number for each annotator of an id: what several rows may say of."""
    return ledger.groupby(_WHOSE, sort=False).ngroup()


def _in_time(ledger: pd.DataFrame, whose: "pd.Series[int]") -> pd.Index:
    """The rows' places in the order in which they count."""
    if ledger["time"].isna().all():
        return ledger.index
    of_day = ledger["time"].groupby([whose, ledger["day"]]).cummax()
    time = ledger["time"].where(ledger["at"].str.len() > _DATE, of_day)
    newest = time.groupby(whose).cummax().groupby(whose).ffill()
    when = time.fillna(newest).fillna(-math.inf)
    return when.sort_values(kind="stable").index


def append(path: Path, rows: Iterable[Row]) -> None:
    """Add rows at the end, all or none, in one write; a column left out is empty. Raises as `read_ledger` does."""
    amend(path, lambda _: rows)


def amend(path: Path, decide: Callable[[pd.DataFrame], Iterable[Row]]) -> list[Row]:
    """Add the rows that `decide` makes of the ledger as it stands, which nobody else writes meanwhile; return them.

    They are on the disk when this returns. A ledger that is not there is begun. Raises as `read_ledger` does.
    """
    with locked(path.with_name(f".{path.stem}.lock"), wait=_WAIT, busy=_BUSY):
        begun = path.is_file() and path.stat().st_size > 0
        ledger = (
            read_ledger(path) if begun else _typed(pd.DataFrame([], columns=list(_ALL)))
        )  # nothing joins a broken one
        rows = list(decide(ledger))
        text = to_csv(COLUMNS, _written(rows))
        if begun:
            text = ("" if path.read_bytes().endswith(b"\n") else "\n") + text.partition("\n")[2]
        if rows or not begun:
            _add(path, text.encode("utf-8"))
    return rows


def _add(path: Path, content: bytes) -> None:
    """The content at the end of the file and on the disk; a disk that is full leaves the file as it was."""
    with path.open("ab", buffering=0) as file:
        size = file.tell()
        try:
            if file.write(content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size)
            raise


def _written(rows: Iterable[Row]) -> list[list[str]]:
    """The rows' fields. Raises WinnowError for one that does not keep the rules."""
    new = []
    for number, row in enumerate(rows, 1):
        unknown = sorted(set(row) - set(COLUMNS))
        if unknown:
            raise WinnowError(
                f"new row {number}: unknown column '{short(unknown[0])}': {did_you_mean(unknown[0], list(COLUMNS))}"
            )
        values = {name: str(row.get(name, "")) for name in COLUMNS}
        checked = check(values, f"new row {number}")
        if checked["at"] and math.isnan(checked["time"]):
            raise WinnowError(
                f"new row {number}, column at: '{short(values['at'])}' is no date such as 2026-03-01T10:00:00Z."
            )
        new.append(list(values.values()))
    return new


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({name: _TYPES.get(name, "str") for name in _ALL})


def _rows(file: Iterable[str], where: str) -> Iterator[dict[str, Any]]:
    reader = csv.reader(file, strict=True)
    headed = False
    try:
        for fields in map(_trimmed, reader):
            line = f"{where}, line {reader.line_num}"
            if fields and fields[0].startswith(MARKERS):
                raise WinnowError(f"{line}: a conflict marker of git: keep the rows of both sides, delete the markers.")
            if tuple(fields) == COLUMNS:
                headed = True
            elif fields and not headed:
                raise WinnowError(_no_header(line, fields))
            elif fields:
                if len(fields) != len(COLUMNS):
                    raise WinnowError(
                        f"{line}: {len(fields)} of {len(COLUMNS)} fields ({','.join(COLUMNS)}): complete it."
                    )
                yield {**check(dict(zip(COLUMNS, fields, strict=True)), line), "line": reader.line_num}
    except csv.Error as error:
        raise WinnowError(f"{where}, line {reader.line_num}: not valid CSV ({error}): close the quote there.") from None
    if not headed:
        raise WinnowError(_no_header(f"{where}, line 1", []))


def _trimmed(fields: list[str]) -> list[str]:
    """The fields without a byte order mark before them and empty ones after the last column; none of a blank row."""
    if _BLANK.fullmatch("".join(fields)):
        return []
    last = len(COLUMNS) if not "".join(fields[len(COLUMNS) :]).strip() else len(fields)
    return [fields[0].lstrip(_MARK), *fields[1:last]]


def _no_header(line: str, fields: list[str]) -> str:
    return f"{line}: the columns must be {','.join(COLUMNS)}, not {short(','.join(fields))}."


def check(row: dict[str, str], where: str) -> dict[str, Any]:
    """The row with its names in normal form and its numbers and time as numbers; `where` it stands, for errors."""
    row = {name: plain(text if name == "note" else text.strip()) for name, text in row.items()}
    row |= {name: normal(row[name]) for name in _NAMES}
    for name, text in row.items():
        if len(text) > LONGEST or any("\ud800" <= one <= "\udfff" for one in text):
            raise WinnowError(f"{where}, column {name}: longer than {LONGEST:,} letters, or half a letter: shorten it.")
    for name in ("id", "annotator"):
        if not row[name]:
            raise WinnowError(f"{where}, column {name}: empty, but every label has one.")
    for name in _NAMES:
        if odd := unprintable(row[name]):
            raise WinnowError(
                f"{where}, column {name}: '{short(row[name])}' holds a character that cannot be seen "
                f"(U+{ord(odd):04X}): type it anew."
            )
    if row["source"] not in SOURCES:
        near = did_you_mean(row["source"], list(SOURCES))
        raise WinnowError(f"{where}, column source: unknown '{short(row['source'])}': {near}")
    if not re.fullmatch("[0-9]{0,9}", row["round"]):
        raise WinnowError(f"{where}, column round: '{short(row['round'])}' is not a whole number from 0.")
    cost = float(row["cost"] or 0) if _COST.fullmatch(row["cost"] or "0") else math.inf
    if cost == math.inf:
        raise WinnowError(f"{where}, column cost: '{short(row['cost'])}' is not a number from 0.")
    return {**row, "round": int(row["round"] or 0), "cost": cost, **_time(row["at"])}


def _time(at: str) -> dict[str, float]:
    """`time` and `day` of what `at` says: nan and 0 where that is no date."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return {"time": math.nan, "day": 0}
    seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH).total_seconds()
    return {"time": seconds, "day": moment.toordinal()}
