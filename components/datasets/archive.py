"""A picture archive as the folder it holds: every member checked first, unpacked aside, published whole by its hash."""

import os
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from components.core.errors import WinnowError
from components.core.files import sha256
from components.datasets.archive_members import BROKEN, Member, members

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
HOME = Path(".winnow/unpacked")
MOST_NAME, MOST_DEPTH = 255, 64  # bytes of a name, and folders inside each other: what every file system takes
_SLACK = 2**20  # bytes that even the smallest archive may have between its members

_Taken = dict[tuple[str, ...], tuple[tuple[str, ...], bool]]  # by what a careless file system compares: name, folder


@dataclass(frozen=True)
class Budget:
    """What an archive may hold: `size` bytes unpacked, `members`, and `ratio` unpacked bytes for each byte of it."""

    size: int = 50 * 2**30
    members: int = 2_000_000
    ratio: int = 200  # photos 1, drawings as bitmaps up to 100, a bomb 1,000


def is_archive(path: Path) -> bool:
    """Whether this is a file with the name of an archive."""
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def unpack(path: Path, budget: Budget | None = None) -> Path:
    """The folder that the archive holds, in `.winnow/unpacked/<sha256>/`; where that is there, it is only touched.

    An archive with one folder on top is that folder. Raises WinnowError naming the first member that is a link, a
    device, sparse or encrypted, leads outside, collides with another or breaks the budget, or saying that the archive
    is damaged: all of it is read to its last checksum first. Then nothing is left of it.
    """
    home = HOME / sha256(path)
    if not home.is_dir():
        aside = home.with_name(f".{home.name}.{os.getpid()}")
        try:
            for _ in _admitted(path, budget or Budget()):
                pass  # headers alone: a member that must not be unpacked costs no disk
            _write(path, budget or Budget(), aside)
            aside.replace(home)
        except WinnowError:
            raise
        except (*BROKEN, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # the disk's, not a decompressor's
                raise
            raise WinnowError(f"{path} is damaged ({_why(error)}): fetch or make the archive again.") from None
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    os.utime(home)  # `winnow doctor` removes those that nobody asks for any more
    top = [entry for entry in home.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
    return top[0] if len(top) == 1 and top[0].is_dir() else home


def _admitted(path: Path, budget: Budget) -> Iterator[Member]:
    """Every member that may be unpacked. Raises WinnowError for the first that may not."""
    taken: _Taken = {}
    count, total, packed = 0, 0, path.stat().st_size
    most = min(budget.size, budget.ratio * packed)
    for member in members(path, budget.ratio * packed + _SLACK):
        count, total = count + 1, total + max(0, member.size)
        wrong = member.wrong or _impossible(member) or _collides(member, taken)
        if count > budget.members:
            wrong = f"is one more than the {budget.members:,} members an archive may have"
        if total > most:
            wrong = f"brings it to {total:,} bytes unpacked, above the {most:,} that an archive of its size may hold"
        if wrong:
            mend = "make the archive again without that, or unpack it yourself"
            raise WinnowError(f"{path} is not unpacked, because '{member.name[:MOST_NAME]}' {wrong}: {mend}.")
        yield member


def _impossible(member: Member) -> str:
    """Why no folder can hold a file of this name and size, or nothing."""
    parts = member.name.replace("\\", "/").split("/")
    if parts[0] == "" or parts[0].endswith(":") or ".." in parts or "\0" in member.name:
        return "would be written outside its folder"
    if "\\" in member.name:
        return "is named with backslashes, which are no folders here"
    if member.size < 0:
        return f"says to have {member.size:,} bytes"
    if any(len(os.fsencode(part)) > MOST_NAME for part in parts):
        return f"has a name of more than {MOST_NAME} bytes"
    if len(parts) > MOST_DEPTH:
        return f"lies more than {MOST_DEPTH} folders deep"
    return ""


def _collides(member: Member, taken: _Taken) -> str:
    """How this member and an earlier one would be one file, here or where case and accents do not count, or nothing."""
    parts = _parts(member)
    if not parts:
        return "" if member.folder else "has no name"
    there = False
    for depth in range(1, len(parts) + 1):
        here, folder = parts[:depth], depth < len(parts) or member.folder
        key = tuple(unicodedata.normalize("NFC", part).casefold() for part in here)
        there = key in taken
        earlier, was_folder = taken.setdefault(key, (here, folder))
        if earlier != here:
            return f"collides with '{'/'.join(earlier)}', where upper case or accents make no difference"
        if folder != was_folder:
            return f"makes '{'/'.join(here)}' a folder and a file"
    return "stands in it twice" if there and not member.folder else ""


def _parts(member: Member) -> tuple[str, ...]:
    return tuple(part for part in member.name.split("/") if part not in ("", "."))


def _write(path: Path, budget: Budget, aside: Path) -> None:
    aside.mkdir(parents=True)
    for member in _admitted(path, budget):
        target = aside.joinpath(*_parts(member))
        (target if member.folder else target.parent).mkdir(parents=True, exist_ok=True)
        with nullcontext() if member.folder else target.open("xb") as file:
            for piece in member.pieces():
                if file:
                    file.write(piece)


def _why(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "thousands of headers for one member"
    return str(error) or type(error).__name__
