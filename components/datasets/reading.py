"""Reads a source's files on all cores, a bounded number at a time, into a spool and a table, by their kind of data."""

import hashlib
import os
import stat
import threading
import warnings
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.core.progress import bar
from components.datasets.near_duplicates import HASH_BYTES
from components.datasets.records import Content, Record, Unreadable
from components.datasets.sample_store import Spool
from components.datasets.sources import Item, Rejected, Source

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]
MAX_BYTES = 2**28  # of one file, and of all files that are in memory at once
IN_FLIGHT = 400_000_000  # bytes of what is being decoded at once; a larger file is decoded alone
HEAD = 4096  # bytes that tell a file's format
_CHUNK = 64
_FOUND = [(name, pa.string()) for name in ("path", "sha256", "label", "split", "together")]
_REJECTED = pa.schema([("path", pa.string()), ("kind", pa.string()), ("reason", pa.string())])


class Kind(Protocol):
    """What reading asks of a kind of data: see `components.modalities.Modality`."""

    @property
    def facts(self) -> pa.Schema: ...

    @property
    def suffixes(self) -> frozenset[str]: ...

    def read(self, content: Content) -> Record: ...

    def unread_format(self, head: bytes) -> str: ...

    def bytes_needed(self, content: Content) -> int: ...

    def fingerprints(self, records: list[Array]) -> npt.NDArray[np.uint8] | None: ...

    def blank(self, record: Array) -> bool: ...


@dataclass(frozen=True)
class Read:
    """What came of reading: `found` (row number = place in the spool), `rejected` (`path`, `kind`, `reason`), the
    `fingerprints` `(N, 8)`, None where the kind has none, which of `(N,)` are `blank`, and how many `lost` what."""

    found: "pd.DataFrame"
    rejected: "pd.DataFrame"
    fingerprints: npt.NDArray[np.uint8] | None
    blank: npt.NDArray[np.bool_]
    lost: Counter[str]


@dataclass(frozen=True)
class _Chunk:
    records: list[Array]
    fingerprints: npt.NDArray[np.uint8] | None
    found: pa.RecordBatch
    rejected: pa.RecordBatch
    lost: Counter[str]


class _Room:
    """So much of something may be in use at once; who needs more than that gets all of it."""

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, amount: int) -> Iterator[None]:
        amount = min(amount, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= amount)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()


@dataclass(frozen=True)
class Reader:
    """Reads samples of a `kind`."""

    kind: Kind
    _bytes: _Room = field(default_factory=lambda: _Room(MAX_BYTES))
    _decoded: _Room = field(default_factory=lambda: _Room(IN_FLIGHT))

    def read(self, source: Source, spool: Spool) -> Read:
        """Append every readable sample to the spool.

        In memory: `IN_FLIGHT` bytes of what is decoded, `MAX_BYTES` of files, and about 200 bytes per sample.
        """
        found, rejected, prints, blank, lost = [], [], [], [], Counter[str]()
        items = iter(bar(source.items(), total=source.count(), label="ingest", unit=" files"))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")  # odd metadata; what matters becomes Unreadable
            for chunk in self._chunks(items):
                for record in chunk.records:
                    spool.append(record)
                found.append(chunk.found)
                rejected.append(chunk.rejected)
                blank += [self.kind.blank(record) for record in chunk.records]
                lost += chunk.lost
                if chunk.fingerprints is not None:
                    prints.append(chunk.fingerprints)
        tables = pa.Table.from_batches(found, self._columns), pa.Table.from_batches(rejected, _REJECTED)
        known = np.concatenate(prints) if prints else None
        return Read(tables[0].to_pandas(), tables[1].to_pandas(), known, np.array(blank, np.bool_), lost)

    @property
    def _columns(self) -> pa.Schema:
        return pa.schema([*_FOUND, *self.kind.facts, ("bytes", pa.int64())])

    def _chunks(self, items: Iterator[Item | Rejected]) -> Iterator[_Chunk]:
        """Chunks in the order of the items, at most two per core under way."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        under_way: deque[Future[_Chunk]] = deque()
        with ThreadPoolExecutor(cores) as pool:
            while chunk := list(islice(items, _CHUNK)):
                under_way.append(pool.submit(self._read_chunk, chunk))
                if len(under_way) == 2 * cores:
                    yield under_way.popleft().result()
            for future in under_way:
                yield future.result()

    def _read_chunk(self, items: list[Item | Rejected]) -> _Chunk:
        records, good, bad, lost = [], [], [], Counter[str]()
        for item in items:
            try:
                if isinstance(item, Rejected):
                    bad.append({"path": item.path, "kind": item.kind, "reason": item.reason})
                    continue
                record, row = self._read_one(item)
            except Unreadable as error:
                kind = error.kind
                if kind == "no_picture" and PurePath(item.path.casefold()).suffix in self.kind.suffixes:
                    kind = "unreadable"  # it was to be one
                bad.append({"path": item.path, "kind": kind, "reason": str(error)})
            else:
                records.append(record.values)
                good.append(row)
                lost.update(record.lost)
        prints = self.kind.fingerprints(records) if records else np.empty((0, HASH_BYTES), np.uint8)
        tables = pa.RecordBatch.from_pylist(good, self._columns), pa.RecordBatch.from_pylist(bad, _REJECTED)
        return _Chunk(records, prints, *tables, lost)

    def _read_one(self, item: Item) -> tuple[Record, dict[str, object]]:
        with self._content(item) as content, self._decoded.taken(self.kind.bytes_needed(content)):
            record = self.kind.read(content)
            raw = content if isinstance(content, bytes) else content.tobytes()
        row: dict[str, object] = {
            "path": item.path,
            "sha256": hashlib.sha256(raw).hexdigest(),
            "label": item.label,
            "split": item.split,
            "together": item.origin,
            **record.facts,
            "bytes": len(raw),
        }
        return record, row

    @contextmanager
    def _content(self, item: Item) -> Iterator[Content]:
        if not isinstance(item.content, Path):
            yield item.content
            return
        with self._bytes.taken(_size(item.content)):
            yield file_bytes(item.content, self.kind)


def contents(source: Source, kind: Kind) -> Iterator[Content]:
    """Every file of the source that can be opened, for a kind that looks at all of them first."""
    for item in bar(source.items(), total=source.count(), label="survey", unit=" files"):
        try:
            if isinstance(item, Item):
                yield file_bytes(item.content, kind) if isinstance(item.content, Path) else item.content
        except Unreadable:
            continue  # `Reader.read` says so


def file_bytes(path: Path, kind: Kind) -> bytes:
    """A file's content, no more than `MAX_BYTES`.

    Raises Unreadable for more, for what is no file or not open, and for a format that is known and not read.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("a folder, device or pipe, not a file.", "unsafe")
        with path.open("rb") as file:
            head = file.read(HEAD)
            if sentence := kind.unread_format(head):
                raise Unreadable(sentence, "unread_format")
            if found.st_size > MAX_BYTES:
                raise Unreadable(f"{found.st_size:,} bytes: no sample is that large (limit {MAX_BYTES:,}).")
            content = head + file.read(max(0, found.st_size - len(head)) + 1)
    except OSError as error:
        raise Unreadable(f"cannot be opened: {error.strerror}.") from None
    if len(content) > found.st_size:
        raise Unreadable("it grows while it is read: wait until whoever writes it is done.")
    return content


def losses(said: Mapping[str, str], counts: Mapping[str, int], noun: str, total: int) -> list[str]:
    """What was lost in how many of `total` samples, one sentence per kind of loss."""
    return [f"{counts[name]:,} of {total:,} {noun} {rest}." for name, rest in said.items() if counts.get(name)]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # `file_bytes` says so
