"""A picture archive as the folder it holds: every member checked first, unpacked aside, published whole by its hash."""

import gzip
import io
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast

from components.core.errors import WinnowError
from components.core.files import sha256

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
HOME = Path(".winnow/unpacked")
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, gzip.BadGzipFile)

_Open = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Budget:
    """What an archive may hold: `size` bytes unpacked, `members`, and `ratio` unpacked bytes for each byte of it."""

    size: int = 50 * 2**30
    members: int = 2_000_000
    ratio: int = 200  # photos 1, drawings as bitmaps up to 100, a bomb 1,000


@dataclass(frozen=True)
class _Member:
    """wrong: why it must not be unpacked, or nothing; size: as declared, which no more than is ever written of it."""

    name: str
    folder: bool
    size: int
    wrong: str


def is_archive(path: Path) -> bool:
    """Whether this is a file with the name of an archive."""
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def unpack(path: Path, budget: Budget | None = None) -> Path:
    """The folder that the archive holds, in `.winnow/unpacked/<sha256>/`; where that is there, it is only touched.

    An archive with one folder on top is that folder. Raises WinnowError naming the first member that is a link, a
    device, encrypted, leads outside, stands twice or breaks the budget, or saying that the archive is damaged; then
    nothing has been written.
    """
    home = HOME / sha256(path)
    if not home.is_dir():
        aside = home.with_name(f".{home.name}.{os.getpid()}")
        try:
            _check(path, budget or Budget())
            _write(path, aside)
            aside.replace(home)
        except _BROKEN as error:
            raise WinnowError(f"{path} is damaged ({error}): fetch or make the archive again.") from None
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    os.utime(home)  # `winnow doctor` removes those that nobody asks for any more
    top = [entry for entry in home.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
    return top[0] if len(top) == 1 and top[0].is_dir() else home


def _check(path: Path, budget: Budget) -> None:
    seen: set[str] = set()
    total, most = 0, min(budget.size, budget.ratio * path.stat().st_size)
    for member, _ in _members(path):
        total += member.size
        wrong = member.wrong or _leads_outside(member.name)
        name = member.name.rstrip("/")
        if name in seen and not member.folder:
            wrong = "stands in it twice"
        seen.add(name)
        if len(seen) > budget.members:
            wrong = f"is one more than the {budget.members:,} members an archive may have"
        if total > most:
            wrong = f"brings it to {total:,} bytes unpacked, above the {most:,} that an archive of its size may hold"
        if wrong:
            mend = "make the archive again without that, or unpack it yourself"
            raise WinnowError(f"{path} is not unpacked, because '{member.name}' {wrong}: {mend}.")


def _leads_outside(name: str) -> str:
    parts = name.replace("\\", "/").split("/")
    if parts[0] == "" or parts[0].endswith(":") or ".." in parts or "\0" in name:
        return "would be written outside its folder"
    return ""


def _write(path: Path, aside: Path) -> None:
    aside.mkdir(parents=True)
    for member, open_member in _members(path):
        target = aside / member.name
        (target if member.folder else target.parent).mkdir(parents=True, exist_ok=True)
        if open_member is not None:
            with open_member() as content, target.open("xb") as file:
                shutil.copyfileobj(content, file)


def _members(path: Path) -> Iterator[tuple[_Member, _Open | None]]:
    """Every member, with what opens its content (None for a folder), in the archive's order."""
    return _zip_members(path) if path.name.lower().endswith(".zip") else _tar_members(path)


def _zip_members(path: Path) -> Iterator[tuple[_Member, _Open | None]]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            wrong = "" if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "is a link or a device"
            wrong = "is encrypted" if info.flag_bits & 1 else wrong
            member = _Member(info.filename, info.is_dir(), info.file_size, wrong)
            yield member, None if wrong or info.is_dir() else partial(archive.open, info)


def _tar_members(path: Path) -> Iterator[tuple[_Member, _Open | None]]:
    with _plain(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
        for info in archive:
            wrong = "" if info.isreg() or info.isdir() else "is a link or a device"
            member = _Member(info.name, info.isdir(), info.size, wrong)
            yield member, partial(_content, archive, info) if info.isreg() else None
            archive.members = []  # type: ignore[attr-defined]  # it would keep them all


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(info)
    assert content is not None
    return content


@contextmanager
def _plain(path: Path) -> Iterator["_Bounded"]:
    """The archive's bytes, decompressed."""
    packed = path.name.lower().endswith("gz")
    with gzip.open(path) if packed else path.open("rb") as stream:
        yield _Bounded(cast(IO[bytes], stream))


class _Bounded(io.RawIOBase):
    """A stream that hands out at most `MOST` bytes at a time: a header may claim to be any number of gigabytes."""

    MOST = 2**24

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= self.MOST:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()
