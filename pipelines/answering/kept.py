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
    return cached(recorded.md5)


def cached(md5: str) -> Path | None:
    """The object of that md5 in DVC's cache, a folder's listing included; None where it is not there."""
    path = _cache() / "files/md5" / md5[:2] / md5[2:]
    return path if len(md5) > 2 and path.is_file() else None


@cache
def _cache() -> Path:
    return Path(ask_dvc("cache", "dir").strip())
