"""Rows of a table file, as texts by column, one by one: CSV, TSV, JSON lines, Parquet; how it is written is found."""

import codecs
import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.core.errors import WinnowError

Row = dict[str, str | None]
LONGEST = 2**28  # characters of a cell; a quote that is never closed makes one of all that follows
CHUNK = 2**20  # bytes
BATCH = 1024  # rows of a Parquet file
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
SEPARATORS = ",;\t|"


class Table(ABC):
    """`columns` of the file; iterating gives each row, or a sentence on why there is none. notices: how it was read."""

    def __init__(self, path: Path, columns: list[str], notices: list[str]) -> None:
        self.path, self.columns, self.notices = path, columns, notices
        if not columns:
            raise WinnowError(f"{path.name} is empty: put a line of column names and a row per text there.")
        twice = next((name for name in columns if columns.count(name) > 1), None)
        if twice is not None:
            raise WinnowError(f"{path.name} has two columns named '{twice}': give each a name of its own.")

    @abstractmethod
    def __iter__(self) -> Iterator[Row | str]: ...


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
        with path.open(encoding=self.encoding, newline="") as file:
            head = file.readline(2**16)
        self.separator = "\t" if path.suffix.casefold() == ".tsv" else max(SEPARATORS, key=head.count)
        if self.separator not in ",\t":
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
        try:
            with self.path.open(encoding=self.encoding, newline="") as file:
                yield from csv.reader(file, delimiter=self.separator)
        except csv.Error as error:
            raise WinnowError(f"{self.path.name} is no table of texts ({error}): save it anew as CSV.") from None
        finally:
            csv.field_size_limit(before)


class _Lines(Table):
    def __init__(self, path: Path) -> None:
        self.path, (self.encoding, said) = path, encoding_of(path)
        names: dict[str, None] = {}
        for number, row in enumerate(self._objects()):
            names |= dict.fromkeys(row) if isinstance(row, dict) else {}
            if number == BATCH:
                break
        super().__init__(path, list(names), said)

    def __iter__(self) -> Iterator[Row | str]:
        for row in self._objects():
            yield row if isinstance(row, str) else {name: as_text(value) for name, value in row.items()}

    def _objects(self) -> Iterator[dict[str, Any] | str]:
        with self.path.open(encoding=self.encoding, newline="\n") as file:
            for line in file:
                if not line.strip():
                    continue
                try:
                    found = json.loads(line)
                except (ValueError, RecursionError):
                    found = None
                yield found if isinstance(found, dict) else "a line that is no JSON object."


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
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=BATCH):
                for row in batch.to_pylist():
                    yield {name: as_text(value) for name, value in row.items()}


def encoding_of(path: Path) -> tuple[str, list[str]]:
    """In which encoding the file is written, and a sentence where that is not plain UTF-8. All of it is looked at."""
    with path.open("rb") as file:
        head = file.read(4)
        mark = next((name for mark, name in MARKS.items() if head.startswith(mark)), None)
        if mark == "utf-16":
            return mark, [f"{path.name} is written in UTF-16, as its first bytes say."]
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "latin-1", [
                f"{path.name} is not UTF-8 and was read as Latin-1: save it as UTF-8 if letters look wrong."
            ]
    return mark or "utf-8", [f"{path.name} begins with a byte order mark, which was left out."] if mark else []


def as_text(value: Any) -> str | None:
    """A cell of any type as a text: whole numbers without a point, nothing for what is missing."""
    if value is None or value != value:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)
