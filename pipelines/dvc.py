"""DVC behind one thin module: made usable where it is not, run as a child, its words made few."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from components.core import code
from components.core.config import read_params
from components.core.errors import Unavailable, WinnowError
from components.core.journal import flatten
from components.core.masked_output import mask_output
from components.core.secrets import without_secrets
from components.core.signals import die_with_parent
from components.core.terminal import OutputGone
from pipelines import processes
from pipelines.few_words import BRIEF, FewWords

Stale = dict[str, tuple[str, ...]]  # stage -> what makes DVC run it
RWLOCK = Path(".dvc/tmp/rwlock")
GRACE = 5.0  # seconds between being asked to stop and being stopped
_SAID = {
    r"Running stage '(.+)':": "{}",
    r"Stage '(.+)' didn't change, skipping": "{}: unchanged",
    r"Stage '(.+)' is cached - skipping run, checking out outputs": "{}: restored",
}
_HOW = {"modified": "changed", "deleted": "missing"}
_SILENT = (
    "To track the changes",
    "\tgit add",
    "To enable auto staging",
    "\tdvc config",
    "Use `dvc push`",
    "> ",
    "Updating lock file",
    "Generating lock file",
)


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
    mend_lock_file()


def run_dvc(
    arguments: list[str],
    extra: Mapping[str, str],
    *,
    listen: Callable[[str], None] | None = None,
    limit: float | None = None,
    at: Path = Path(),
) -> int:
    """Run `dvc ARGUMENTS` with `extra` in its environment, its output passed on in few words; returns its exit code.

    listen: takes each line instead of standard output, those of standard error too. limit: seconds, after which all of
    it is stopped and TimeoutError raised. Whatever ends the caller (Ctrl-C, SIGTERM) ends DVC and its stage first.
    """
    command = [sys.executable, "-m", "pipelines.dvc", *arguments]  # DVC, but it ends when this process does
    overdue: list[threading.Timer] = []
    with subprocess.Popen(
        command,
        cwd=at,
        env={**_environment(), **({} if listen else {BRIEF: "1"}), **extra},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if listen else None,
        text=True,
        errors="replace",
        process_group=0,
    ) as child:
        late = threading.Timer(limit or threading.TIMEOUT_MAX, lambda: overdue.append(_end(child.pid)))
        late.daemon = True
        late.start()
        try:
            _pass_on(child, listen or _print)
        except BaseException:
            insist = _end(child.pid)
            with suppress(OutputGone):
                _pass_on(child, listen or _print)  # the last of its output: over when the last of the group is
            insist.cancel()
            raise
        finally:
            late.cancel()
            for insist in overdue:
                insist.cancel()
    if overdue:
        raise TimeoutError
    return child.returncode


def stale() -> Stale:
    """Stages that DVC would run for a reason of their own, each with its reasons: `pretrain.epochs changed`, ...

    Raises Unavailable while another DVC process writes here.
    """
    try:
        said: dict[str, list[Any]] = json.loads(ask_dvc("status", "--json") or "{}")
    except WinnowError as error:
        if "is busy" not in str(error):
            raise
        raise Unavailable("dvc is at work in this folder: try again when it has ended.") from None
    reasons = {name: list(_reasons(changes)) for name, changes in said.items()}
    for name, changed in code.stale().items():
        reasons.setdefault(name, []).extend(f"{path} changed" for path in changed)
    return {name: tuple(why) for name, why in reasons.items()}


def changed_settings(stage: str, block: str) -> list[str]:
    """Which settings of a block are not those the stage last ran with: `pretrain.epochs 80 -> 40`."""
    lock = yaml.safe_load(Path("dvc.lock").read_text(encoding="utf-8"))
    then = dict(flatten({block: lock["stages"][stage]["params"]["params.yaml"].get(block)}))
    now = dict(flatten({block: read_params().get(block)}))
    names = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    return [f"{name} {then.get(name, 'unset')} -> {now.get(name, 'unset')}" for name in names]


def busy() -> int | None:
    """Number of a living DVC process that is at work in this folder, as DVC's own lock names it."""
    try:
        owners = lock_owners(json.loads(RWLOCK.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return None
    return next((pid for pid in owners if at_work(pid)), None)


def at_work(pid: int) -> bool:
    """Whether that process is alive and DVC; between two stages of a run it holds nothing, yet is not done."""
    return processes.alive(pid) and "dvc" in processes.command(pid)


def lock_owners(lock: dict[str, Any]) -> dict[int, str]:
    """Who holds what, by process number with its command line, of the content of DVC's lock file."""
    writers: Iterable[Any] = lock.get("write", {}).values()
    readers = [one for several in lock.get("read", {}).values() for one in several]
    return {int(one["pid"]): str(one["cmd"]) for one in [*writers, *readers] if one}


def ask_dvc(*arguments: str) -> str:
    """What `dvc ARGUMENTS` prints. Raises WinnowError with its words where it fails."""
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise WinnowError(f"dvc {' '.join(arguments)} failed: {' '.join(done.stderr.split())}")
    return done.stdout


def _reasons(changes: list[Any]) -> Iterator[str]:
    for change in changes:
        if not isinstance(change, dict):
            yield str(change)
            continue
        for kind, things in change.items():
            if not isinstance(things, dict):
                yield kind
                continue
            for thing, how in things.items():
                if isinstance(how, dict):  # settings of params.yaml
                    yield from (f"{name} {_HOW.get(what, what)}" for name, what in how.items())
                else:
                    yield f"{thing} {_HOW.get(how, how)}"


def _end(group: int) -> threading.Timer:
    """Ask the whole group to end; unless the timer is cancelled, insist after a while."""
    _signal_group(group, signal.SIGTERM)
    insist = threading.Timer(GRACE, _signal_group, (group, signal.SIGKILL))
    insist.start()
    return insist


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _pass_on(child: subprocess.Popen[str], listen: Callable[[str], None]) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        if said := _in_few_words(line.rstrip("\n")):
            listen(without_secrets(said))


def _print(line: str) -> None:
    print(line, flush=True)


def _in_few_words(line: str) -> str:
    """What a person needs of a line of DVC's; empty for what nobody does."""
    for pattern, said in _SAID.items():
        if match := re.fullmatch(pattern, line):
            return said.format(match[1])
    return "" if line.startswith(_SILENT) else line


def _environment() -> dict[str, str]:
    """Ours, with this Python first: the stages' `python` is the one that runs this, activated or not."""
    return {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}


def mend_lock_file() -> None:
    """Remove a lock file that names dead processes alone, of which DVC would warn, or that was left empty by a process
    killed while writing it, which blocks DVC for ever. The caller holds the pipeline's lock, so no run of ours writes.
    """
    if not RWLOCK.is_file():
        return
    try:
        living = any(at_work(pid) for pid in lock_owners(json.loads(RWLOCK.read_text(encoding="utf-8"))))
    except (ValueError, KeyError, TypeError, AttributeError):
        living = False
    if not living:
        RWLOCK.unlink(missing_ok=True)


def drop_half_written() -> None:
    """Remove what DVC was writing into its record of runs when it was killed, of which it would warn ever after. The
    caller holds the pipeline's lock, so no run of ours writes.
    """
    for path in Path(".dvc/cache/runs").glob("*/*/.*.tmp"):
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    die_with_parent()
    mask_output()
    if BRIEF in os.environ:
        sys.stderr = FewWords(sys.stderr)
    from dvc.cli import main

    sys.exit(main(sys.argv[1:]))
