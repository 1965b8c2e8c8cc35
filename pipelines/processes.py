"""Processes of this machine as Linux shows them in /proc: whose they are, what they run, whether they live."""

import os
from pathlib import Path

PROC = Path("/proc")
INIT = ("systemd", "init")  # what adopts a process whose parent died, besides process 1


def alive(pid: int) -> bool:
    """Whether there is such a process; where there is no /proc, whether it can be signaled."""
    if PROC.is_dir():
        return (PROC / str(pid)).is_dir()
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def command(pid: int) -> str:
    """The command line; empty where the process is gone."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def orphans(word: str, folder: Path) -> list[int]:
    """Processes at work in `folder` with `word` in their command, whose parent has died."""
    if not PROC.is_dir():
        return []
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return sorted(pid for pid in pids if word in command(pid) and _folder(pid) == folder and _adopted(pid))


def _folder(pid: int) -> Path | None:
    try:
        return (PROC / str(pid) / "cwd").readlink()
    except OSError:
        return None


def _adopted(pid: int) -> bool:
    try:
        status = (PROC / str(pid) / "status").read_text(encoding="utf-8")
    except OSError:
        return False
    parent = int(status.partition("PPid:")[2].split()[0])
    return parent <= 1 or Path(command(parent).partition(" ")[0]).name in INIT
