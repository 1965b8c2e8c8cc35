"""Rows of a table file, as texts by column, one by one: CSV, TSV, JSON lines, Parquet; how it is written is found."""

import codecs
import contextlib
import csv
import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from components.core.errors import WinnowError
from components.datasets.utf_16 import HEAD, utf_16

Row = dict[str, str | None]
LONGEST = 2**28  # characters of a cell; a quote that is never closed makes one of all that follows
CHUNK = 2**20  # bytes
BATCH = 1024  # rows of a Parquet file
MOST_COLUMNS = 100_000
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
SEPARATORS = ",;\t|"
_SAYS_SEPARATOR = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)  # a first line that spreadsheets write and read


class Table(ABC):
    """`columns` of the file; iterating gives each row, or a sentence on why there is none. notices: how it was read.

    used: the columns that are read; whoever knows says it, until then all. Raises WinnowError while iterating where a
    cell of these is neither text nor number.
    """

    def __init__(self, path: Path, columns: list[str], notices: list[str]) -> None:
        self.path, self.columns, self.notices, self.used = path, columns, notices, columns
        if not columns:
            raise WinnowError(f"{path.name} is empty: put a line of column names and a row per text there.")
        twice = next((name for name, count in Counter(columns).items() if count > 1), None)
        if twice is not None:
            raise WinnowError(f"{path.name} has two columns named '{twice}': give each a name of its own.")

    @abstractmethod
    def __iter__(self) -> Iterator[Row | str]: ...

    def _texts(self, row: dict[str, Any], number: int) -> Row:
        found: Row = {}
        for name in self.used:
            try:
                found[name] = as_text(row.get(name))
            except ValueError as error:
                raise WinnowError(
                    f"{self.path.name} holds {error} in '{name}' of row {number}, where a text or a number belongs: "
                    "name another column in ingest.columns, or write texts there."
                ) from None
        return found


def open_table(path: Path) -> Table:
    """The file by its ending. Raises WinnowError for one that cannot be read as that."""
    suffix = path.suffix.casefold()
    try:
        if suffix == ".parquet":
            return _Parquet(path)
        return _Delimited(path) if suffix in (".csv", ".tsv") else _Lines(path)
    except OSError as error:
        raise WinnowError(f"{path} cannot be opened ({error.strerror or error}): check the file.") from None


class _Delimited(Table):
    def __init__(self, path: Path) -> None:
        self.path, (self.encoding, said) = path, encoding_of(path)
        usual = "\t" if path.suffix.casefold() == ".tsv" else ","
        with path.open(encoding=self.encoding, newline="") as file:
            head = file.readline(2**16)
        named = _SAYS_SEPARATOR.fullmatch(head)
        self.above = 1 if named else 0  # lines above the names of columns
        self.separator = named[1] if named else _likeliest(head, usual)
        if self.separator != usual:
            said.append(f"{path.name}: columns are parted by '{self.separator}'.")
        super().__init__(path, next(self._cells(), []), said)

    def __iter__(self) -> Iterator[Row | str]:
        cells = self._cells()
        next(cells)
        for row in cells:
            if len(row) == len(self.columns):
                yield dict(zip(self.columns, row, strict=True))
            elif row:  # empty lines are nothing
                wanted = len(self.columns)
                yield f"{len(row)} cells where the first line names {wanted}: is a quote missing around a text?"

    def _cells(self) -> Iterator[list[str]]:
        before = csv.field_size_limit(LONGEST)
        now: list[str] = []  # the lines of one row
        number = self.above
        try:
            with self.path.open(encoding=self.encoding, newline="") as file:
                for row in csv.reader(_noted(islice(file, number, None), now), delimiter=self.separator):
                    number, last = number + len(now), now.copy()
                    now.clear()
                    yield row
            if number > self.above and _open_quote(last, self.separator):
                raise WinnowError(
                    f"{self.path.name} opens a quote in line {number - len(last) + 1} that is never closed, so that "
                    "all behind it is one text: close it there, or write a quote that is meant twice."
                )
        except csv.Error as error:
            raise WinnowError(f"{self.path.name} is no table of texts ({error}): save it anew as CSV.") from None
        finally:
            csv.field_size_limit(before)


def _likeliest(head: str, usual: str) -> str:
    """The separator that parts the first line most often."""
    parts: dict[str, int] = {one: len(next(csv.reader([head], delimiter=one), [])) for one in (usual, *SEPARATORS)}
    return max(parts, key=lambda one: parts[one])


def _noted(lines: Iterable[str], now: list[str]) -> Iterator[str]:
    for line in lines:
        now.append(line)
        yield line


def _open_quote(lines: list[str], separator: str) -> bool:
    """Whether a row ends, with the file, within a quote."""
    try:
        list(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


class _Lines(Table):
    def __init__(self, path: Path) -> None:
        self.path, (self.encoding, said) = path, encoding_of(path)
        names: dict[str, None] = {}
        for row in self._objects():
            names |= dict.fromkeys(row) if isinstance(row, dict) else {}
            if len(names) > MOST_COLUMNS:
                raise WinnowError(f"{path.name} has more than {MOST_COLUMNS:,} names of columns: that is no table.")
        super().__init__(path, list(names), said)

    def __iter__(self) -> Iterator[Row | str]:
        for number, row in enumerate(self._objects(), 1):
            yield row if isinstance(row, str) else self._texts(row, number)

    def _objects(self) -> Iterator[dict[str, Any] | str]:
        with self.path.open(encoding=self.encoding, newline="\n") as file:
            for line in file:
                if not line.strip():
                    continue
                try:
                    found = json.loads(line, object_pairs_hook=_once)
                except KeyError as error:
                    yield f"a line that names '{error.args[0]}' twice."
                    continue
                except (ValueError, RecursionError):
                    found = None
                yield found if isinstance(found, dict) else "a line that is no JSON object."


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise KeyError(next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1))
    return found


class _Parquet(Table):
    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            columns = pq.read_schema(path).names
        except pa.ArrowException as error:
            raise WinnowError(
                f"{path.name} is no Parquet file ({str(error).splitlines()[0][:80]}): write it anew."
            ) from None
        super().__init__(path, columns, [])

    def __iter__(self) -> Iterator[Row | str]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        number = 0
        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=BATCH, columns=self.used):
                    for row in batch.to_pylist():
                        number += 1
                        yield self._texts(row, number)
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0][:80]
            raise WinnowError(f"{self.path.name} cannot be read behind row {number} ({why}): write it anew.") from None


def encoding_of(path: Path) -> tuple[str, list[str]]:
    """In which encoding the file is written, and a sentence where that is not plain UTF-8. All of it is looked at.

    Raises WinnowError for one that says that it is UTF-16 and is not.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    mark = next((name for mark, name in MARKS.items() if head.startswith(mark)), None)
    if mark == "utf-16":
        if not _is(path, mark):
            raise WinnowError(f"{path.name} says by its first bytes that it is UTF-16, and is not: save it as UTF-8.")
        return mark, [f"{path.name} is written in UTF-16, as its first bytes say."]
    if (found := utf_16(head)) and _is(path, found):
        return found, [
            f"{path.name} is written in UTF-16, though no first bytes say so: save it as UTF-8 if it is not."
        ]
    if not _is(path, "utf-8"):
        return "cp1252" if _is(path, "cp1252") else "latin-1", [
            f"{path.name} is not UTF-8 and was read as Latin-1 (Windows-1252): save it as UTF-8 if letters look wrong."
        ]
    return mark or "utf-8", [f"{path.name} begins with a byte order mark, which was left out."] if mark else []


def _is(path: Path, encoding: str) -> bool:
    """Whether all bytes of the file are letters in this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file, contextlib.suppress(UnicodeDecodeError):
        while chunk := file.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
        return True
    return False


def as_text(value: Any) -> str | None:
    """A cell of any plain type as a text: whole numbers without a point, nothing for what is missing.

    Raises ValueError, saying what it is, for what is no text: lists, objects, bytes that are not UTF-8.
    """
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise ValueError("bytes that are not UTF-8") from None
    if isinstance(value, list | tuple | dict | set):
        raise ValueError("an object" if isinstance(value, dict) else "a list")
    if value is None or value != value:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)
