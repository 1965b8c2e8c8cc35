"""A folder of recordings and a table that says what each is, or each segment of one: its class, speaker and split."""

import io
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from components.core.errors import WinnowError
from components.datasets.records import Unreadable
from components.datasets.sources import Item, Rejected, Source
from components.datasets.sources._tables import Row
from components.datasets.sources.table import Table

FILES = ("file_name", "filename", "file", "path", "audio", "clip")
STARTS, ENDS = ("start", "begin", "onset", "start_time"), ("end", "stop", "offset", "end_time")
TABLES = ("metadata.csv", "metadata.tsv", "metadata.jsonl", "metadata.parquet")
LONGEST = 600.0  # seconds of a segment
OPEN = 4  # recordings that are kept open


class Clips(Table):
    """`ingest.source: clips:FOLDER` with `metadata.csv` in it, or `clips:TABLE` beside the recordings: a row for each,
    its `file_name` from the table's folder on, and as the names of columns say it `label`, `split`, the origin that
    `ingest.group` names, and in seconds `start` and `end` of a segment, of which one recording may have any number.
    """

    fits = ("log_mel", "wave")
    endings = ()
    files = True
    holds = "files"
    known = FILES
    others = (*STARTS, *ENDS)

    def __init__(self, config: Source.Config) -> None:
        place = Path(config.argument)
        if place.is_dir():
            found = [place / name for name in TABLES if (place / name).is_file()]
            if not found:
                raise WinnowError(
                    f"{place} has no metadata.csv: write one with the columns file_name, label and speaker, or say "
                    f"ingest.source: {place} where folders are the classes."
                )
            place = found[0]
        super().__init__(config.model_copy(update={"argument": str(place)}))
        self.home = place.parent
        self._start, self._end = (
            next((name for name in self._rows.columns if name.casefold() in known), None) for known in (STARTS, ENDS)
        )
        self._rows.used = [*self._rows.used, *(name for name in (self._start, self._end) if name)]

    def items(self) -> Iterator[Item | Rejected]:
        seen = set[str]()
        for number, row in enumerate(self._rows, 1):
            if isinstance(row, str):
                yield Rejected(f"{self.path.name}/{number}", "unreadable", row)
                continue
            yield self._item(row, number, seen)

    def _item(self, row: Row, number: int, seen: set[str]) -> Item | Rejected:
        name = (row.get(self._texts[0]) or "").strip()
        start, end = (self._seconds(row, column, number) for column in (self._start, self._end))
        path = name if start is None and end is None else f"{name}#{start or 0:g}-{'' if end is None else f'{end:g}'}"
        if not name or path in seen:
            what = "nothing" if not name else f"'{path[:60]}' again"
            return Rejected(f"{self.path.name}/{number}", "unreadable", f"{what} in row {number}: a row for each clip.")
        seen.add(path)
        file = self.home / name
        if why := _outside(self.home, name):
            return Rejected(path, "unsafe", why)
        if not file.is_file():
            return Rejected(path, "unreadable", f"{self.path.name} names it in row {number}, and it is not there.")
        content: Path | npt.NDArray[np.uint8] = file
        if path != name:
            try:
                content = _segment(file, start or 0.0, end)
            except Unreadable as error:
                return Rejected(path, "unreadable", str(error))
        return Item(path, content, self._class_of(row), self._split_of(row, number), self._origin_of(row))

    def _seconds(self, row: Row, column: str | None, number: int) -> float | None:
        said = (row.get(column) or "").strip() if column else ""
        if not said:
            return None
        try:
            value = float(said)
        except ValueError:
            value = -1.0
        if not 0 <= value < 1e9:
            raise WinnowError(
                f"{self.path.name} says '{said[:40]}' in '{column}' of row {number}, where seconds belong (12.5)."
            )
        return value


def _outside(home: Path, name: str) -> str:
    """Why a table must not name this file, or nothing."""
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        return "a file outside the table's folder: put it there."
    for part in (PurePosixPath(name), *PurePosixPath(name).parents):
        if os.path.islink(home / part):  # noqa: PTH114 - a Path that names a link
            return "a symbolic link: links are not followed; put the file itself here."
    return ""


def _segment(file: Path, start: float, end: float | None) -> npt.NDArray[np.uint8]:
    """A WAV file's bytes of what is between; only that is read. Raises Unreadable where it is not in the recording."""
    import soundfile

    try:
        recording = _opened(file, file.stat().st_mtime_ns)
        rate, total = recording.samplerate, recording.frames / recording.samplerate
        end = total if end is None else end
        if not start < end:
            raise Unreadable(f"a segment from {start:g} to {end:g} s, which ends before it begins: mend the table.")
        if end > total + 0.01:
            raise Unreadable(f"a segment to {end:g} s of a recording of {total:.2f} s: mend the table.")
        if end - start > LONGEST:
            raise Unreadable(f"a segment of {end - start:g} s: cut it into parts of at most {LONGEST:g} s.")
        recording.seek(round(start * rate))
        sound = recording.read(round(end * rate) - round(start * rate), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise Unreadable(
            f"damaged ({str(error).rpartition(': ')[2].rstrip('.')[:80]}): copy or save it anew."
        ) from None
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, rate, format="WAV", subtype="FLOAT")
    return np.frombuffer(buffer.getvalue(), np.uint8)


@lru_cache(maxsize=OPEN)
def _opened(file: Path, changed: int):  # type: ignore[no-untyped-def]
    import soundfile

    return soundfile.SoundFile(file)
