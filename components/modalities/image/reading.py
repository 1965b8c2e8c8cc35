"""Reads a source's pictures on all cores, a bounded number at a time, into a spool and a table."""

import hashlib
import os
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from components.core.progress import bar
from components.datasets.near_duplicates import perceptual_hashes
from components.datasets.sample_store import Spool
from components.datasets.sources import Item, Rejected, Source
from components.modalities.image.decode import Pixels, Unreadable, decode

MAX_BYTES = 2**28  # of one file: what a worker holds in memory before it knows the file is a picture
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


@dataclass(frozen=True)
class Reader:
    """How a picture is read: see `decode`."""

    image_size: int
    channels: int
    max_pixels: int

    def read(self, source: Source, spool: Spool) -> tuple[pd.DataFrame, pd.DataFrame, Pixels]:
        """Append every readable picture to the spool.

        Returns what was found (row number = place in the spool), what was rejected (`path`, `kind`, `reason`) and the
        perceptual hashes `(N, 8)`. In memory: one decoded picture per core, and about 200 bytes per sample.
        """
        found, rejected, hashes = [], [], [perceptual_hashes([])]
        items = iter(bar(source.items(), total=source.count(), label="ingest", unit=" files"))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")  # odd metadata; what matters becomes Unreadable
            for chunk in self._chunks(items):
                for pixels in chunk.pictures:
                    spool.append(pixels)
                found.append(chunk.found)
                rejected.append(chunk.rejected)
                hashes.append(chunk.hashes)
        frames = (
            pa.Table.from_batches(found, _FOUND).to_pandas(),
            pa.Table.from_batches(rejected, _REJECTED).to_pandas(),
        )
        return *frames, np.concatenate(hashes)

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
        pictures, good, bad = [], [], []
        for item in items:
            try:
                if isinstance(item, Rejected):
                    bad.append({"path": item.path, "kind": item.kind, "reason": item.reason})
                    continue
                pixels, row = self._read_one(item)
            except Unreadable as error:
                bad.append({"path": item.path, "kind": "unreadable", "reason": str(error)})
            else:
                pictures.append(pixels)
                good.append(row)
        tables = pa.RecordBatch.from_pylist(good, _FOUND), pa.RecordBatch.from_pylist(bad, _REJECTED)
        return _Chunk(pictures, perceptual_hashes(pictures), *tables)

    def _read_one(self, item: Item) -> tuple[Pixels, dict[str, object]]:
        content = _file_bytes(item.content) if isinstance(item.content, Path) else item.content
        raw = content if isinstance(content, bytes) else content.tobytes()
        picture = decode(content, image_size=self.image_size, channels=self.channels, max_pixels=self.max_pixels)
        return picture.pixels, {
            "path": item.path,
            "sha256": hashlib.sha256(raw).hexdigest(),
            "label": item.label,
            "split": item.split,
            "width": picture.width,
            "height": picture.height,
            "mode": picture.mode,
            "bytes": len(raw),
        }


def _file_bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise Unreadable(f"{size:,} bytes: no picture is that large (limit {MAX_BYTES:,}).")
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"cannot be opened: {error.strerror}.") from None
