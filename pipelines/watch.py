"""Makes DVC see changes in a folder or archive of pictures outside the one it watches."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.core import registry
from components.core.files import write_text

WATCHED = Path("data/raw")
NOTE = WATCHED / "source.json"


def note_source(params: dict[str, Any]) -> None:
    """Write what lies in the outside folder (count, bytes, digest of names, sizes and times) to `data/raw/source.json`.

    DVC watches `data/raw`, so a change out there makes `ingest` stale. An archive counts as one
    file. Where there is neither, the note is removed.
    """
    block = params.get("ingest")
    place = _outside(block if isinstance(block, dict) else {})
    if place is None or not place.exists():
        NOTE.unlink(missing_ok=True)
        return
    files, total, digest = 0, 0, hashlib.sha256()
    for path, size, changed in _files(place):
        files, total = files + 1, total + size
        digest.update(f"{path}\0{size}\0{changed}\n".encode("utf-8", "surrogateescape"))
    facts = {"files": files, "bytes": total, "digest": digest.hexdigest()}
    text = json.dumps(facts, sort_keys=True, indent=2) + "\n"
    if not NOTE.is_file() or NOTE.read_text(encoding="utf-8") != text:
        write_text(NOTE, text)


def _outside(ingest: dict[str, Any]) -> Path | None:
    """The folder or archive that `ingest` reads, if it is not in the watched one."""
    source, root = str(ingest.get("source", "")), Path(str(ingest.get("root", WATCHED)))
    plugin, colon, _ = source.partition(":")
    if plugin in registry.names("source"):
        return _beyond(root) if colon else None
    return _beyond(Path(source))


def _beyond(folder: Path) -> Path | None:
    return None if folder.resolve().is_relative_to(WATCHED.resolve()) else folder


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Relative path, size and time of change (ns) of every file, in an order of its own, whatever the disk's.

    An archive is one file.
    """
    if folder.is_file():
        yield folder.name, folder.stat().st_size, folder.stat().st_mtime_ns
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            facts = path.lstat()
            yield path.relative_to(folder).as_posix(), facts.st_size, facts.st_mtime_ns
