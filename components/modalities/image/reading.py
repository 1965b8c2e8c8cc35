"""Reads a source's pictures on all cores, a bounded number at a time, into a spool and a table."""

import hashlib
import os
import stat
import threading
import warnings
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from components.core.progress import bar
from components.datasets.near_duplicates import perceptual_hashes
from components.datasets.other_files import is_named_like_a_picture
from components.datasets.sample_store import Spool
from components.datasets.sources import Item, Rejected, Source
from components.modalities.image.decode import Pixels, Unreadable, decode, decoded_pixels, measure_span
from components.modalities.image.fitting import Preparation
from components.modalities.image.formats import HEAD, unread_format

MAX_BYTES = 2**28  # of one file, and of all files that are in memory at once
IN_FLIGHT = 100_000_000  # pixels that are being decoded at once: 4 bytes each; a larger picture is decoded alone
_CHUNK = 64
_FOUND = pa.schema(
    [
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("label", pa.string()),
        ("split", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("mode", pa.string()),
        ("bytes", pa.int64()),
    ]
)
_REJECTED = pa.schema([("path", pa.string()), ("kind", pa.string()), ("reason", pa.string())])


@dataclass(frozen=True)
class _Chunk:
    pictures: list[Pixels]
    hashes: Pixels
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
class Read:
    """What came of reading: `found` (row number = place in the spool), `rejected` (`path`, `kind`, `reason`), the
    perceptual `hashes` `(N, 8)`, and how many pictures `lost` what (see `losses.LOSSES`)."""

    found: pd.DataFrame
    rejected: pd.DataFrame
    hashes: Pixels
    lost: Counter[str]


@dataclass(frozen=True)
class Reader:
    """How a picture is read: see `decode`."""

    how: Preparation
    max_pixels: int
    _bytes: _Room = field(default_factory=lambda: _Room(MAX_BYTES))
    _pixels: _Room = field(default_factory=lambda: _Room(IN_FLIGHT))

    def read(self, source: Source, spool: Spool) -> Read:
        """Append every readable picture to the spool.

        In memory: `IN_FLIGHT` decoded pixels, `MAX_BYTES` of files, and about 200 bytes per sample.
        """
        found, rejected, hashes, lost = [], [], [perceptual_hashes([])], Counter[str]()
        items = iter(bar(source.items(), total=source.count(), label="ingest", unit=" files"))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")  # odd metadata; what matters becomes Unreadable
            for chunk in self._chunks(items):
                for pixels in chunk.pictures:
                    spool.append(pixels)
                found.append(chunk.found)
                rejected.append(chunk.rejected)
                hashes.append(chunk.hashes)
                lost += chunk.lost
        tables = pa.Table.from_batches(found, _FOUND), pa.Table.from_batches(rejected, _REJECTED)
        return Read(tables[0].to_pandas(), tables[1].to_pandas(), np.concatenate(hashes), lost)

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
        pictures, good, bad, lost = [], [], [], Counter[str]()
        for item in items:
            try:
                if isinstance(item, Rejected):
                    bad.append({"path": item.path, "kind": item.kind, "reason": item.reason})
                    continue
                pixels, row, gone = self._read_one(item)
            except Unreadable as error:
                kind = error.kind
                if kind == "no_picture" and is_named_like_a_picture(item.path):
                    kind = "unreadable"  # it was to be one
                bad.append({"path": item.path, "kind": kind, "reason": str(error)})
            else:
                pictures.append(pixels)
                good.append(row)
                lost.update(gone)
        tables = pa.RecordBatch.from_pylist(good, _FOUND), pa.RecordBatch.from_pylist(bad, _REJECTED)
        return _Chunk(pictures, perceptual_hashes(pictures), *tables, lost)

    def _read_one(self, item: Item) -> tuple[Pixels, dict[str, object], tuple[str, ...]]:
        with self._content(item) as content, self._pixels.taken(self._weight(content)):
            picture = decode(content, self.how, max_pixels=self.max_pixels)
            raw = content if isinstance(content, bytes) else content.tobytes()
        row: dict[str, object] = {
            "path": item.path,
            "sha256": hashlib.sha256(raw).hexdigest(),
            "label": item.label,
            "split": item.split,
            "width": picture.width,
            "height": picture.height,
            "mode": picture.mode,
            "bytes": len(raw),
        }
        return picture.pixels, row, picture.lost

    def _weight(self, content: bytes | Pixels) -> int:
        return decoded_pixels(content, self.how.image_size) if isinstance(content, bytes) else content.size

    @contextmanager
    def _content(self, item: Item) -> Iterator[bytes | Pixels]:
        if not isinstance(item.content, Path):
            yield item.content
            return
        with self._bytes.taken(_size(item.content)):
            yield file_bytes(item.content)


def common_span(source: Source, max_pixels: int) -> tuple[float, float] | None:
    """Lowest and highest value of all the source's pictures of more than eight bits; None where it has none."""
    spans = []
    for item in bar(source.items(), total=source.count(), label="range", unit=" files"):
        try:
            if isinstance(item, Item) and isinstance(item.content, Path):
                spans.append(measure_span(file_bytes(item.content), max_pixels=max_pixels))
        except Unreadable:
            continue  # `Reader.read` says so
    deep = [span for span in spans if span is not None]
    return (min(low for low, _ in deep), max(high for _, high in deep)) if deep else None


def file_bytes(path: Path) -> bytes:
    """A file's content, no more than `MAX_BYTES`. Raises Unreadable for more, and for what is no file or not open."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("a folder, device or pipe, not a file.", "unsafe")
        with path.open("rb") as file:
            head = file.read(HEAD)
            if sentence := unread_format(head):
                raise Unreadable(sentence, "unread_format")
            if found.st_size > MAX_BYTES:
                raise Unreadable(f"{found.st_size:,} bytes: no picture is that large (limit {MAX_BYTES:,}).")
            content = head + file.read(max(0, found.st_size - len(head)) + 1)
    except OSError as error:
        raise Unreadable(f"cannot be opened: {error.strerror}.") from None
    if len(content) > found.st_size:
        raise Unreadable("it grows while it is read: wait until whoever writes it is done.")
    return content


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # `file_bytes` says so
