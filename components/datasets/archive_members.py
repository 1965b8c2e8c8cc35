"""The members of a zip or tar one by one, with what is wrong with each; damage is found before the last is out."""

import gzip
import io
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast

_BROKEN_LIBRARY = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, struct.error)
BROKEN = (*_BROKEN_LIBRARY, EOFError, NotImplementedError, ValueError, RecursionError, MemoryError)
_PIECE = 2**16
_LOCAL = struct.Struct("<4s2HH")  # of a zip's header beside the content: signature, version, flags, compression
_LOCAL_SIZE, _ENCRYPTED, _NAMED_UTF8 = 30, 1, 2**11
_END_SIZE, _STATED_ELSEWHERE = 22 + 2**16, 2**16 - 1  # of a zip's last record with a comment; its count in zip64


@dataclass(frozen=True)
class Member:
    """name, size: as declared; wrong: why it must not be unpacked, or nothing."""

    name: str
    folder: bool
    size: int
    wrong: str
    open: Callable[[], IO[bytes]]

    def pieces(self) -> Iterator[bytes]:
        """The content, never more than was declared. Raises one of `BROKEN` where it is not whole."""
        left = self.size
        with self.open() as content:
            while piece := content.read(min(_PIECE, left + 1)):
                left -= len(piece)
                if left < 0:
                    break
                yield piece
        if left:
            raise tarfile.ReadError(f"'{self.name}' does not have the {self.size:,} bytes that it says")


def members(path: Path, most: int) -> Iterator[Member]:
    """Every member in the archive's order; at most `most` bytes are decompressed on the way.

    The content of a member must be read before the next one is asked for. Raises one of `BROKEN` for damage.
    """
    return _zip_members(path) if path.name.lower().endswith(".zip") else _tar_members(path, most)


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive, path.open("rb") as headers:
        end = 0
        _check_count(headers, len(archive.infolist()))
        for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
            kind = stat.S_IFMT(info.external_attr >> 16)
            wrong = "" if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "is a link or a device"
            wrong = "is encrypted" if info.flag_bits & _ENCRYPTED else wrong
            wrong = "lies over another member" if info.header_offset < end else wrong
            _check_twice_told(headers, info)
            end = info.header_offset + _LOCAL_SIZE + len(info.orig_filename) + info.compress_size
            yield Member(info.filename, info.is_dir(), info.file_size, wrong, partial(archive.open, info))


def _check_count(file: IO[bytes], listed: int) -> None:
    """The number of members that the end of the list states; zipfile passes over it."""
    file.seek(max(0, file.seek(0, io.SEEK_END) - _END_SIZE))
    tail = file.read()
    (stated,) = struct.unpack_from("<H", tail, tail.rfind(b"PK\5\6") + 10)
    if stated not in (listed, _STATED_ELSEWHERE):
        raise zipfile.BadZipFile(f"it lists {listed} of {stated} members")


def _check_twice_told(headers: IO[bytes], info: zipfile.ZipInfo) -> None:
    """What the list at the end says of a member, and the header beside it: where they differ, readers do."""
    if info.header_offset < 0:
        raise zipfile.BadZipFile(f"'{info.filename}' lies before its start")
    headers.seek(info.header_offset)
    _, _, flags, compression = _LOCAL.unpack(headers.read(_LOCAL.size))
    if (flags ^ info.flag_bits) & (_ENCRYPTED | _NAMED_UTF8) or compression != info.compress_type:
        raise zipfile.BadZipFile(f"two headers of '{info.filename}' differ")


def _tar_members(path: Path, most: int) -> Iterator[Member]:
    with _plain(path, most) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
        for info in archive:
            wrong = "" if info.isreg() or info.isdir() else "is a link or a device"
            wrong = "is a sparse file" if info.issparse() else wrong
            stream.in_headers = False
            yield Member(
                info.name, info.isdir(), 0 if info.isdir() else info.size, wrong, partial(_content, archive, info)
            )
            stream.in_headers = True
            archive.members = []  # type: ignore[attr-defined]  # it would keep them all
        stream.in_headers = False
        _check_end(stream, archive.offset)


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    return archive.extractfile(info) or io.BytesIO()  # None: a folder


def _check_end(stream: "_Bounded", offset: int) -> None:
    """Two blocks of zeros and nothing else; tarfile takes a damaged header for the end. Reads to the last checksum."""
    stream.seek(offset)
    count = 0
    while piece := stream.read(_PIECE):
        count += len(piece)
        if piece.strip(b"\0"):
            raise tarfile.ReadError("a damaged header, or something behind its end")
    if count < 2 * tarfile.BLOCKSIZE:
        raise tarfile.ReadError("its end is missing")


@contextmanager
def _plain(path: Path, most: int) -> Iterator["_Bounded"]:
    """The archive's bytes, decompressed."""
    packed = path.name.lower().endswith("gz")
    with gzip.open(path) if packed else path.open("rb") as stream:
        yield _Bounded(cast(IO[bytes], stream), most)


class _Bounded(io.RawIOBase):
    """A stream of at most `most` bytes, with headers of at most `HEADER`: one may claim to be any number of gigabytes.

    tarfile looks for a number in a header in a time that grows with the square of a run of digits: no such runs.
    """

    HEADER, DIGITS = 2**16, re.compile(rb"\d{64}")

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._most, self.in_headers = stream, most, True

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= (self.HEADER if self.in_headers else 2**24):
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        self._check_place(self.tell() + size)
        content = self._stream.read(size)
        if self.in_headers and size > tarfile.BLOCKSIZE and self.DIGITS.search(content):
            raise tarfile.ReadError("a header of digits")
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        self._check_place(offset)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def _check_place(self, place: int) -> None:
        if not 0 <= place <= self._most:
            raise tarfile.ReadError(f"it claims to reach byte {place:,} of at most {self._most:,}")
