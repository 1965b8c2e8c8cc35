"""Who stands behind a run: the names that git and the system know, as people give them, and whether two are one."""

import getpass
import json
import subprocess
import unicodedata
from collections.abc import Iterable


def login() -> str:
    """Name of the user that this process runs as; empty where the system knows none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def authors() -> list[str]:
    """Everybody who made what is run here: the login, git's `user.name` and the last commit's author; sorted."""
    told = (_git("config", "user.name"), _git("log", "-1", "--format=%an"))
    return sorted({name for name in (login(), *told) if name})


def is_one_of(name: str, names: Iterable[str]) -> bool:
    """Whether the name is one of the names, whatever their case and blanks."""
    return _plain(name) in {_plain(other) for other in names}


def listed(tag: str) -> list[str]:
    """The names in a tag that `authors` went into as JSON; none where something else stands there."""
    try:
        found = json.loads(tag)
    except (ValueError, RecursionError):
        return []
    return [str(name) for name in found] if isinstance(found, list) else []


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
