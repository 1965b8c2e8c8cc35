"""All samples in one array file and what they are in a sidecar: written as a stream, read by memory map.

Records of one shape are the rows of `samples.npy`. Where lengths differ it is one flat array, and the manifest beside
it says each record's `length`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from components.core.config import Config, PluginChoice
from components.core.errors import WinnowError
from components.core.files import write_text

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
BLOCK = 1024  # rows held in memory at a time
ANY = -1  # in a shape: any length
LENGTH = "length"  # the manifest's column where lengths differ
REMEDY = "run `dvc repro ingest` to make it again"


class Samples(Protocol):
    """What training and inference ask of samples: `samples[rows]` is `(M, *shape)` for rows `(M,)`, padded with 0."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Rows, /) -> Any: ...


class About(Config):
    """What `samples.json` says: the kind of data with its settings, and dtype and shape of one record."""

    modality: PluginChoice
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Store:
    """Records in the manifest's row order. values: `(N, *shape)`, or flat with `starts` `(N + 1,)` of the records."""

    about: About
    values: Array
    starts: Rows | None = None

    def __len__(self) -> int:
        return len(self.values) if self.starts is None else len(self.starts) - 1

    def __getitem__(self, rows: Rows, /) -> Array:
        return np.asarray(self.values[rows]) if self.starts is None else padded([self.record(row) for row in rows])

    def record(self, row: int) -> Array:
        """One record as it is, without padding."""
        if self.starts is None:
            return np.asarray(self.values[row])
        return np.asarray(self.values[self.starts[row] : self.starts[row + 1]])


@dataclass(frozen=True)
class Extended:
    """A store's samples, and after them a few more, `(M, *shape)`; only the rows asked for are read."""

    store: Samples
    more: Array

    def __len__(self) -> int:
        return len(self.store) + len(self.more)

    def __getitem__(self, rows: Rows, /) -> Array:
        found = np.array(self.store[np.minimum(rows, len(self.store) - 1)])
        added = rows >= len(self.store)
        found[added] = self.more[rows[added] - len(self.store)]
        return found


def padded(records: list[Array]) -> Array:
    """Records of any length to `(M, longest, ...)`, 0 behind their ends."""
    longest = max((len(record) for record in records), default=0)
    if not records:
        return np.empty((0, 0))
    together = np.zeros((len(records), longest, *records[0].shape[1:]), records[0].dtype)
    for row, record in zip(together, records, strict=True):
        row[: len(record)] = record
    return together


def open_samples(path: Path) -> Store:
    """The samples at `path` (`.npy`), read-only; of the manifest beside it lengths are read, where they differ.

    Raises WinnowError for a damaged file, and for one that its `.json` does not fit.
    """
    about = read_about(path)
    try:
        values: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise WinnowError(f"{path} is damaged ({error}): {REMEDY}.") from None
    ragged = about.shape[:1] == (ANY,)
    if values.dtype != about.dtype or values.shape[1:] != about.shape[1 if ragged else 0 :]:
        raise WinnowError(
            f"{path} holds {values.dtype} {values.shape}, and its .json says {about.dtype} {about.shape} for each "
            f"sample: {REMEDY}."
        )
    if not ragged:
        return Store(about, values)
    lengths = pq.read_table(path.with_name("manifest.parquet"), columns=[LENGTH])[LENGTH].to_numpy()
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    if starts[-1] != len(values):
        raise WinnowError(f"{path} holds {len(values):,} values, and the manifest says {starts[-1]:,}: {REMEDY}.")
    return Store(about, values, starts)


def read_about(path: Path) -> About:
    """What the `.json` beside `path` says. Raises WinnowError where it is missing or damaged."""
    path = path.with_suffix(".json")
    try:
        return About.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WinnowError(f"{path} is missing: run `dvc repro ingest`, which makes it.") from None
    except (ValueError, RecursionError) as error:
        raise WinnowError(f"{path} is damaged ({str(error).splitlines()[0][:120]}): {REMEDY}.") from None


def write_samples(path: Path, samples: Store, rows: Rows) -> None:
    """Write the `rows`, a block at a time, and the `.json`; a full disk is an OSError, never a killed process."""
    about = samples.about
    count = len(rows) if samples.starts is None else int(np.diff(samples.starts)[rows].sum())
    shape = (count, *about.shape) if samples.starts is None else (count, *about.shape[1:])
    descr = np.lib.format.dtype_to_descr(np.dtype(about.dtype))
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
        for start in range(0, len(rows), BLOCK):
            part = rows[start : start + BLOCK]
            if samples.starts is None:
                file.write(samples[part].tobytes())
            else:
                file.writelines(samples.record(row).tobytes() for row in part)
    write_text(path.with_suffix(".json"), json.dumps(about.model_dump(mode="json"), indent=2, sort_keys=True) + "\n")


class Spool:
    """Records in the order they came, on disk, while their number is unknown."""

    def __init__(self, path: Path, about: About) -> None:
        self._file = path.open("wb")
        self._path, self._about, self._lengths = path, about, list[int]()

    def append(self, record: Array) -> None:
        """Add one record of the shape and dtype that `about` says."""
        shape = self._about.shape
        assert str(record.dtype) == self._about.dtype
        assert len(record.shape) == len(shape)
        assert all(wanted in (ANY, side) for wanted, side in zip(shape, record.shape, strict=True))
        self._file.write(record.tobytes())
        self._lengths.append(len(record) if shape[:1] == (ANY,) else 1)

    def samples(self) -> Store:
        """All records so far, by memory map."""
        self._file.flush()
        ragged = self._about.shape[:1] == (ANY,)
        shape = (sum(self._lengths), *(self._about.shape[1:] if ragged else self._about.shape))
        empty = not np.prod(shape)
        values: Array = np.empty(shape if empty else 0, self._about.dtype)
        if not empty:
            values = np.memmap(self._path, self._about.dtype, mode="r", shape=shape)
        starts = np.concatenate([[0], np.cumsum(self._lengths, dtype=np.int64)]) if ragged else None
        return Store(self._about, values, starts)

    def close(self) -> None:
        """Delete the file: what is worth keeping has been written by `write_samples`."""
        self._file.close()
        self._path.unlink(missing_ok=True)


@contextmanager
def spooling(path: Path, about: About) -> Iterator[Spool]:
    """A spool at `path`, deleted when the block ends."""
    spool = Spool(path, about)
    try:
        yield spool
    finally:
        spool.close()
