"""Files as an earlier run left them: in the workspace where they are the same still, else in DVC's cache."""

from functools import cache
from pathlib import Path

from components.core.integrity import Recorded, md5_of
from pipelines.dvc import ask_dvc


def kept(recorded: Recorded | None) -> Path | None:
    """Where the output's recorded content is; None where nothing was recorded, or neither place has it any more."""
    if recorded is None or recorded.is_folder:
        return None
    if recorded.path.is_file() and md5_of(recorded.path) == recorded.md5:
        return recorded.path
    cached = _cache() / "files/md5" / recorded.md5[:2] / recorded.md5[2:]
    return cached if cached.is_file() else None


@cache
def _cache() -> Path:
    return Path(ask_dvc("cache", "dir").strip())
