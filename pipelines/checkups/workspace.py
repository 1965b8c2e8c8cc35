"""The workspace: settings, graph files, locks, processes that lost their parent, and what killed runs left behind."""

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from components.core.dag import read_stages
from components.core.errors import WinnowError
from components.core.integrity import recorded_outputs
from components.core.lock import held
from components.core.scratch import abandoned
from pipelines.checkups import Finding
from pipelines.dvc import RWLOCK, lock_owners
from pipelines.processes import alive, command, orphans

KEPT = 14 * 86400  # seconds that unfinished trainings, replaced outputs and unpacked archives are kept
DVC_LOCK = Path(".dvc/tmp/lock")
AGING = (Path(".winnow/checkpoints"), Path(".winnow/ray"), Path(".winnow/replaced"), Path(".winnow/unpacked"))
ASIDE = re.compile(r"\..+\.(\d+)(\.\w+)?")  # a temporary name of `files.replacing`, with its process


def settings() -> list[Finding]:
    """Every setting is valid, as its own stage sees it."""
    done = subprocess.run([sys.executable, "-m", "pipelines.settings"], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    lines = [line for line in done.stderr.splitlines() if line.strip()] or ["the settings cannot be checked"]
    return [Finding(lines[-1].removeprefix("winnow: "), "correct params.yaml.")]


def graph_files() -> list[Finding]:
    """`dvc.yaml` and `dvc.lock` can be read."""
    found = []
    for read in (read_stages, recorded_outputs):
        try:
            read()
        except WinnowError as error:
            what, _, cure = str(error).partition("): ")
            found.append(Finding(what + (")." if cure else ""), cure or "mend that file."))
        except Exception as error:  # whatever a damaged dvc.yaml leads to
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            found.append(Finding(f"dvc.yaml cannot be read ({reason}).", "restore it: `git checkout HEAD dvc.yaml`."))
    return found


def locks() -> list[Finding]:
    """No lock of DVC's outlives its process. The kernel frees the others by itself."""
    if held(DVC_LOCK):
        return [Finding("DVC is at work in this folder.", "wait for it, or stop it.")]
    if not RWLOCK.is_file():
        return []
    try:
        owners = lock_owners(json.loads(RWLOCK.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError):
        what = f"{RWLOCK} is empty or damaged, and blocks DVC until it is gone."
        return [Finding(what, "remove it.", functools.partial(_remove, RWLOCK))]
    living = {pid: words for pid, words in owners.items() if alive(pid) and "dvc" in command(pid)}
    if living:
        return [
            Finding(f"process {pid} ({words}) is at work in this folder.", f"wait for it, or `kill {pid}`.")
            for pid, words in living.items()
        ]
    if not owners:
        return []
    what = f"{RWLOCK} names processes that are no more: {', '.join(map(str, sorted(owners)))}."
    return [Finding(what, "remove it.", functools.partial(_remove, RWLOCK))]


def orphaned_stages() -> list[Finding]:
    """No stage runs on after the pipeline that started it has died."""
    return [
        Finding(
            f"process {pid} ({command(pid)}) runs on without its pipeline.",
            f"end it: `kill {pid}`.",
            functools.partial(_end, pid),
        )
        for pid in orphans("components.core.stage", Path.cwd())
    ]


def leftovers() -> list[Finding]:
    """Nothing half-written lies about."""
    folders = [Finding(f"{path} was left by a killed stage.", "remove it.", _remover(path)) for path in abandoned()]
    places = [Path("data"), *Path("data").glob("*"), Path(".winnow"), Path()]
    files = [path for place in places if place.is_dir() for path in sorted(place.glob(".*.*")) if _left(path)]
    return folders + [Finding(f"{path} was never finished.", "remove it.", _remover(path)) for path in files]


def old_files() -> list[Finding]:
    """No checkpoints that nobody goes on with, no outputs replaced long ago, no archives unpacked for nobody any more;
    what is young may still be of use.
    """
    old = [path for home in AGING if home.is_dir() for path in sorted(home.iterdir())]
    now = time.time()
    return [
        Finding(
            f"{path} is of no use any more: untouched for {(now - touched) / 86400:.0f} days.",
            "remove it.",
            _remover(path),
            wrong=False,
        )
        for path in old
        if now - (touched := _touched(path)) > KEPT
    ]


def _end(pid: int) -> str:
    os.kill(pid, signal.SIGTERM)
    for _ in range(50):
        if not alive(pid):
            return f"ended process {pid}."
        time.sleep(0.1)
    raise WinnowError(f"process {pid} does not end: `kill -9 {pid}`.")


def _left(path: Path) -> bool:
    name = ASIDE.fullmatch(path.name)
    return path.is_file() and name is not None and not alive(int(name[1]))


def _touched(path: Path) -> float:
    return max(item.stat().st_mtime for item in [path, *path.rglob("*")])


def _remover(path: Path) -> functools.partial[str]:
    return functools.partial(_remove, path)


def _remove(path: Path) -> str:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return f"removed {path}."
