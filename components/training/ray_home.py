"""The folder that Ray keeps its sockets and logs in while a run lasts: nobody else's, and gone afterwards."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.core.errors import WinnowError
from components.core.files import write_text
from components.core.lock import held, locked

NOTES = Path(".winnow/ray_homes")  # where this workspace's lie, by name: what a killed run left is found again
PREFIX = "winnow-"
ALIVE = "alive"  # a lock file that the kernel frees when its process ends, however it ends
LONGEST = 24  # characters of the place: Linux takes 107 for a socket's path, and Ray adds the rest
PLACES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - a folder of its own is made there, closed to others


@contextmanager
def ray_home() -> Iterator[Path]:
    """A new folder with a short path, removed at the end of the block; those of this workspace's dead runs go first."""
    _remove_left_behind()
    home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_place()))
    note = NOTES / home.name
    write_text(note, f"{home}\n")
    try:
        with locked(home / ALIVE, wait=0, busy="process {pid} already runs Ray here."):
            yield home
    finally:
        _remove(home, note)


def _place() -> Path:
    """Where the system wants temporary files, or a usual place where that has too long a path or is not writable."""
    for place in (tempfile.gettempdir(), *PLACES):
        if len(place) <= LONGEST and os.access(place, os.W_OK | os.X_OK):
            return Path(place)
    raise WinnowError(
        f"Ray needs a folder for sockets whose path has at most {LONGEST} characters, and none of {', '.join(PLACES)} "
        "can be written: name one in TMPDIR, or set pretrain.workers to 0."
    )


def _remove_left_behind() -> None:
    for note in sorted(NOTES.glob(f"{PREFIX}*")):
        home = Path(note.read_text(encoding="utf-8").strip())
        if home.name == note.name and not held(home / ALIVE):
            _remove(home, note)


def _remove(home: Path, note: Path) -> None:
    """What Ray still writes while it ends is left to the next run, which finds the note."""
    shutil.rmtree(home, ignore_errors=True)
    if not home.exists():
        note.unlink(missing_ok=True)
