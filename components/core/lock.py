"""One at a time: file locks that die with their process, with a wait and a clear message."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.core.errors import WinnowError


@contextmanager
def locked(path: Path, *, wait: float, busy: str) -> Iterator[None]:
    """Hold the lock file `path` while the block runs, waiting up to `wait` seconds for another process.

    The kernel frees it when its process ends, however it ends, so there is no stale lock to remove.
    Raises WinnowError with the sentence `busy`, `{pid}` in it filled in with the holder's process number.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait
    with path.open("a+", encoding="utf-8") as file:
        while not _take(file.fileno()):
            if time.monotonic() >= deadline:
                file.seek(0)
                raise WinnowError(busy.format(pid=file.read().strip() or "?"))
            time.sleep(0.1)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def held(path: Path) -> bool:
    """Whether a living process holds the lock file `path`."""
    if not path.exists():
        return False
    with path.open("a+", encoding="utf-8") as file:
        return not _take(file.fileno())


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
