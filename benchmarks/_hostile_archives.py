"""Archives of pictures in which something is as no archiver writes it: names, kinds, sizes, bytes."""

import io
import os
import random
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Members = dict[str, bytes]
Make = Callable[[Path, Members], Path]
NAMES = (
    *("../x.jpg", "/tmp/x.jpg", "cat/../../x.jpg", "C:/x.jpg", "..\\x.jpg", ".", "", "cat//1.jpg", "./cat/1.jpg"),
    *("cat", "Cat/1.jpg", "cat/" + "x" * 252 + ".jpg", "/".join("abcdefgh" * 10), "cat\\1.jpg", "e\u0301/2.jpg"),
    *("cat/a\nb.jpg", "cat/\x1b[2J.jpg", "cat/\u202egpj.jpg", "-rf", "~/x.jpg", "$(touch executed).jpg", "con/nul"),
)
KINDS = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE)
SIZES = (-(10**15), -1, 2**62, 2**40, 1, 0)


def make_zip(path: Path, members: Members, mode: int = stat.S_IFREG) -> Path:
    """A zip of these members, all of one kind."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (mode | 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, content)
    return path


def make_tar(path: Path, members: Members, kind: bytes = tarfile.REGTYPE) -> Path:
    """A tar of these members, all of one kind; compressed where the name ends in gz."""
    with tarfile.open(path, "w:gz" if path.suffix.endswith("gz") else "w") as packed:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content) if kind == tarfile.REGTYPE else 0, "/etc/passwd"
            packed.addfile(info, io.BytesIO(content))
    return path


MAKERS: dict[str, Make] = {"zip": make_zip, "tar": make_tar, "tar.gz": make_tar, "tgz": make_tar, "TAR": make_tar}


def write_hostile(path: Path, members: Members, chance: random.Random) -> str:
    """Write the archive of the members, spoiled, to `path`, whose name says of which form; returns what was done."""
    whole = dict(members)
    kind = chance.choice(("name", "kind", "header", "bytes", "bytes", "bytes", "bomb"))
    make = MAKERS[path.name.partition(".")[2]]
    if kind == "name":
        whole[chance.choice(NAMES)] = b"x"
    if kind == "bomb":
        whole["cat/bomb.bmp"] = bytes(20_000_000)
    make(path, whole)
    if kind == "kind":
        one_kind = {"mode": stat.S_IFLNK} if make is make_zip else {"kind": chance.choice(KINDS)}
        make(path, whole, **one_kind)  # type: ignore[call-arg]
    if kind == "header":
        path.write_bytes(_lying(chance) + (path.read_bytes() if chance.random() < 0.5 else bytes(4096)))
    if kind == "bytes":
        path.write_bytes(changed(path.read_bytes(), chance))
    return kind


def _lying(chance: random.Random) -> bytes:
    """A member of a tar whose header says what cannot be."""
    info = tarfile.TarInfo(chance.choice(("cat/1.jpg", *NAMES)))
    facts: dict[str, Any] = {"size": chance.choice(SIZES), "type": chance.choice((*KINDS, tarfile.XHDTYPE, b"z"))}
    for name, value in facts.items():
        setattr(info, name, value)
    return info.tobuf(tarfile.GNU_FORMAT, errors="replace")


def changed(content: bytes, chance: random.Random) -> bytes:
    """The bytes cut, one turned, a piece taken out, put in, or said twice."""
    if not content:
        return os.urandom(1)
    start = chance.randrange(len(content))
    end = start + chance.randrange(1, 200)
    other = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 9)))
    turned = bytes([content[start] ^ (1 << chance.randrange(8))])
    return chance.choice(
        (
            content[:start],
            content[:start] + turned + content[start + 1 :],
            content[:start] + content[end:],
            content[:start] + other + content[start:],
            content[:start] + other + content[start + len(other) :],
            content[:end] + content[start:],
        )
    )
