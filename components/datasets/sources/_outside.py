"""Pictures outside the folder that DVC watches: a note in there of what they were when a run began."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.core.errors import WinnowError
from components.core.files import read_json

NOTE = "source.json"


def facts_of(place: Path) -> dict[str, Any]:
    """Count, bytes, and a digest of names, sizes and times, of every file in a folder; an archive is one file."""
    files, total, digest = 0, 0, hashlib.sha256()
    for path, size, changed in _files(place):
        files, total = files + 1, total + size
        digest.update(f"{path}\0{size}\0{changed}\n".encode("utf-8", "surrogateescape"))
    return {"files": files, "bytes": total, "digest": digest.hexdigest()}


def check_noted(place: Path, watched: Path) -> None:
    """Raise WinnowError where `place` is no more what the note in `watched` says: DVC would record that one for it."""
    note = watched / NOTE
    if note.is_file() and place.exists() and read_json(note) != facts_of(place):
        raise WinnowError(f"{place} changed since {note} was written, so nothing was recorded: run `winnow repro`.")


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Relative path, size and time of change (ns) of every file, in an order of its own, whatever the disk's."""
    if folder.is_file():
        yield folder.name, folder.stat().st_size, folder.stat().st_mtime_ns
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            facts = path.lstat()
            yield path.relative_to(folder).as_posix(), facts.st_size, facts.st_mtime_ns
