"""All pictures in one array file: written as a stream, read by memory map."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from components.core.errors import WinnowError

Pixels = npt.NDArray[np.uint8]
BLOCK = 1024  # rows held in memory at a time


class Samples(Protocol):
    """What training and inference ask of pictures: `samples[rows]` is `(M, C, H, W)` uint8 for rows `(M,)` int64."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: npt.NDArray[np.int64], /) -> Any: ...


@dataclass(frozen=True)
class Extended:
    """A store's pictures, and after them a few more, `(M, C, H, W)`; only the rows asked for are read."""

    store: Pixels
    more: Pixels

    def __len__(self) -> int:
        return len(self.store) + len(self.more)

    def __getitem__(self, rows: npt.NDArray[np.int64], /) -> Pixels:
        found = np.array(self.store[np.minimum(rows, len(self.store) - 1)])
        added = rows >= len(self.store)
        found[added] = self.more[rows[added] - len(self.store)]
        return found


def open_samples(path: Path) -> Pixels:
    """`(N, C, H, W)` uint8, read-only memory map in the manifest's row order. Raises WinnowError for a damaged file."""
    try:
        samples = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise WinnowError(f"{path} is damaged ({error}): run `dvc repro ingest` to make it again.") from None
    if samples.dtype != np.uint8 or samples.ndim != 4:
        raise WinnowError(f"{path} holds {samples.dtype} {samples.shape}, not uint8 (N, C, H, W): remake it by ingest.")
    return cast(Pixels, samples)


def write_samples(path: Path, samples: Pixels, rows: npt.NDArray[np.int64]) -> None:
    """Write `samples[rows]` as an array file, a block at a time; a full disk is an OSError, never a killed process."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(rows), *samples.shape[1:])}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(rows), BLOCK):
            file.write(samples[rows[start : start + BLOCK]].tobytes())


class Spool:
    """Pictures in the order they came, on disk, while their number is unknown."""

    def __init__(self, path: Path, shape: tuple[int, int, int]) -> None:
        self._file = path.open("wb")
        self._path, self._shape, self._rows = path, shape, 0

    def append(self, pixels: Pixels) -> None:
        """Add one picture `(C, H, W)`."""
        assert pixels.shape == self._shape
        self._file.write(pixels.tobytes())
        self._rows += 1

    def pixels(self) -> Pixels:
        """All pictures so far, `(N, C, H, W)`, by memory map."""
        self._file.flush()
        shape = (self._rows, *self._shape)
        return np.memmap(self._path, np.uint8, mode="r", shape=shape) if self._rows else np.empty(shape, np.uint8)

    def close(self) -> None:
        """Delete the file: what is worth keeping has been written by `write_samples`."""
        self._file.close()
        self._path.unlink(missing_ok=True)


@contextmanager
def spooling(path: Path, shape: tuple[int, int, int]) -> Iterator[Spool]:
    """A spool at `path` for pictures of `shape`, deleted when the block ends."""
    spool = Spool(path, shape)
    try:
        yield spool
    finally:
        spool.close()
