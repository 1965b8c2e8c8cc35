"""What this machine has: processors, free memory, shared memory, as this process may use them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.core.errors import WinnowError

OBJECT_STORE = 128 * 2**20  # bytes Ray is given; data comes by memory map, so the store carries next to nothing
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Ray keeps that store
GROUP = Path("/sys/fs/cgroup")  # the container's limits, where there are any

SOCKETS = 32  # characters of a folder in which Ray's sockets can lie: the system takes 107 for the whole path


def processors() -> int:
    """Processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> int | None:
    """Bytes that can be had without swapping, the container's limit included; None where the system does not say."""
    told = Path("/proc/meminfo")
    if not told.is_file():
        return None
    lines = dict(line.split(":", 1) for line in told.read_text(encoding="ascii").splitlines())
    free = int(lines["MemAvailable"].split()[0]) * 1024
    limit, used = _number(GROUP / "memory.max"), _number(GROUP / "memory.current")
    return free if limit is None or used is None else min(free, max(0, limit - used))


def free_shared_memory() -> int | None:
    """Bytes free in `/dev/shm`; None where there is none."""
    return shutil.disk_usage(SHARED_MEMORY).free if SHARED_MEMORY.is_dir() else None


@contextmanager
def socket_folder() -> Iterator[Path]:
    """A private folder for sockets and logs, removed at the end; in `/tmp` where `TMPDIR` is too long a name.

    Raises WinnowError where no folder will do.
    """
    places = [tempfile.gettempdir(), "/tmp", "/var/tmp", str(SHARED_MEMORY)]  # noqa: S108 - a private one in it
    usable = [place for place in places if len(os.fsencode(place)) <= SOCKETS and os.access(place, os.W_OK | os.X_OK)]
    if not usable:
        raise WinnowError(
            f"Ray needs a folder for its sockets with a name of at most {SOCKETS} characters that can be written: set "
            "TMPDIR to one, or pretrain.workers to 0 to train without Ray."
        )
    with tempfile.TemporaryDirectory(prefix="ray-", dir=usable[0], ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _number(path: Path) -> int | None:
    text = path.read_text(encoding="ascii").strip() if path.is_file() else ""
    return int(text) if text.isdigit() else None
