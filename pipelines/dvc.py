"""DVC behind one thin module: made usable where it is not, run as a child, its words made few."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from components.core.errors import WinnowError

GRACE = 5.0  # seconds between being asked to stop and being stopped
_SILENT = ("To track the changes", "\tgit add", "To enable auto staging", "\tdvc config", "Use `dvc push`", "> ")


def prepare_workspace() -> None:
    """Initialize what DVC needs and is not there; without a git repository DVC is told to do without."""
    if not Path(".dvc/config").is_file():
        ask_dvc("init", *([] if Path(".git").exists() else ["--no-scm"]), "--force")
    local = Path(".dvc/config.local")
    told = local.is_file() and "no_scm" in local.read_text(encoding="utf-8")
    if not Path(".git").exists() and not told:
        ask_dvc("config", "--local", "core.no_scm", "true")
    if Path(".git").exists() and told:
        ask_dvc("config", "--local", "--unset", "core.no_scm")
    _mend_lock_file()


def run_dvc(arguments: list[str], extra: Mapping[str, str]) -> int:
    """Run `dvc ARGUMENTS` with `extra` in its environment, its output passed on in few words; returns its exit code.

    Ctrl-C and SIGTERM end DVC and its stage as a group, and only then reach the caller.
    """
    command = [sys.executable, "-m", "dvc", *arguments]
    environment = {**_environment(), **extra}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, process_group=0) as child:
        assert child.stdout is not None
        try:
            for line in child.stdout:
                _pass_on(line.rstrip("\n"))
        except KeyboardInterrupt:
            _stop(child)
            raise
    return child.returncode


def ask_dvc(*arguments: str) -> str:
    """What `dvc ARGUMENTS` prints. Raises WinnowError with its words where it fails."""
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise WinnowError(f"dvc {' '.join(arguments)} failed: {' '.join(done.stderr.split())}")
    return done.stdout


def _stop(child: subprocess.Popen[str]) -> None:
    """Ask the whole group to end, wait for the last of its output, then insist."""
    assert child.stdout is not None
    _signal_group(child.pid, signal.SIGTERM)
    insist = threading.Timer(GRACE, _signal_group, (child.pid, signal.SIGKILL))
    insist.start()
    child.stdout.read()  # ends when the last process of the group has
    insist.cancel()
    child.wait()


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _pass_on(line: str) -> None:
    if match := re.fullmatch(r"Running stage '(.+)':", line):
        print(f"{match[1]}", flush=True)
    elif match := re.fullmatch(r"Stage '(.+)' didn't change, skipping", line):
        print(f"{match[1]}: unchanged", flush=True)
    elif match := re.fullmatch(r"Stage '(.+)' is cached - skipping run, checking out outputs", line):
        print(f"{match[1]}: restored", flush=True)
    elif line and not line.startswith(_SILENT) and not re.match(r"(Updating|Generating) lock file", line):
        print(line, flush=True)


def _environment() -> dict[str, str]:
    """Ours, with this Python first: the stages' `python` is the one that runs this, activated or not."""
    return {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}


def _mend_lock_file() -> None:
    """An empty lock file, left by a process killed while writing it, blocks DVC for ever: remove it.

    The caller holds the pipeline's lock, so no run of ours is writing it.
    """
    path = Path(".dvc/tmp/rwlock")
    if not path.is_file():
        return
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        path.unlink()
