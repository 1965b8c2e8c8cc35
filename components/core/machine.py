"""What this machine has: processors, free memory, shared memory, as this process may use them."""

import os
import shutil
from pathlib import Path

OBJECT_STORE = 128 * 2**20  # bytes Ray is given; data comes by memory map, so the store carries next to nothing
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Ray keeps that store
GROUP = Path("/sys/fs/cgroup")  # the container's limits, where there are any


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


def _number(path: Path) -> int | None:
    text = path.read_text(encoding="ascii").strip() if path.is_file() else ""
    return int(text) if text.isdigit() else None
