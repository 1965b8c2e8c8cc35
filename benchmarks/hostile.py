"""Hostile versions, archives, weights, settings and ledgers by the hundred, through what a user runs: what came of it.

`python -m benchmarks.hostile 300 0`: so many inputs of each kind, chance seeded with 0; further words name the kinds.
What is run is the command line itself, in this process, which is quick; `executed` counts marks that code would leave.
"""

import contextlib
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import FrameType

from benchmarks._hostile_inputs import KINDS, Attempt, project
from benchmarks._hostile_weights import MARK
from components.core import stage
from components.core.outcome import DEFECT, FAILED
from pipelines import cli
from pipelines.ending import end_with
from pipelines.settings import check_settings

PATIENCE = 120  # seconds that one command may take
HUNG = -1
SHOWN = 10  # ends of a kind that are not right, on standard error


def main(count: str = "300", seed: str = "0", *kinds: str) -> None:
    """Print the table, by kind: inputs, commands run on them, and how many ended as they must not."""
    found = {}
    with tempfile.TemporaryDirectory() as home, contextlib.chdir(home):
        project(Path("project"))
        for kind in kinds or KINDS:
            with contextlib.chdir(shutil.copytree("project", kind, symlinks=True)):
                found[kind] = _tally(kind, islice(KINDS[kind](random.Random(int(seed))), int(count)))
            print(json.dumps({kind: found[kind]}), file=sys.stderr, flush=True)
    print(json.dumps(found, indent=2))


def _tally(kind: str, attempts: Iterator[Attempt]) -> dict[str, int]:
    ends = Counter(dict.fromkeys(("inputs", "commands", "refused", *_judged(0, "", Attempt("", {}), set())), 0))
    shown = 0
    for attempt in attempts:
        ends["inputs"] += 1
        for command, right in attempt.commands.items():
            code, said = run(command)
            judged = _judged(code, said, attempt, right)
            ends.update(judged | {"commands": 1, "refused": code == FAILED})
            if any(judged.values()) and (shown := shown + 1) <= SHOWN:
                print(f"{kind}: {attempt.what}: {command}: {code}: {said[-1000:]}", file=sys.stderr, flush=True)
            _forget_mark()
    return dict(ends)


def _judged(code: int, said: str, attempt: Attempt, right: set[int]) -> dict[str, bool]:
    """Everything that must not be."""
    return {
        "executed": os.path.lexists(MARK),
        "tracebacks": code == DEFECT or "Traceback" in said or "defect in Winnow" in said,
        "wrong_exit_codes": code not in (0, FAILED) or (code == FAILED and FAILED not in right),
        "accepted_though_wrong": code == 0 and (0 not in right or attempt.broke_out()),
        "without_a_sentence": code == FAILED and not said.strip(),
    }


def run(command: str) -> tuple[int, str]:
    """Exit code, and all that was printed, of `winnow COMMAND`, of a stage, or of the settings check."""
    said = io.StringIO()
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(PATIENCE)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            if command == "settings":
                end_with(check_settings, name="settings")
            if command.startswith("stage "):
                return stage.main(command.removeprefix("stage ")), said.getvalue()
            sys.argv = ["winnow", *command.split()]
            cli.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None), said.getvalue()
    except TimeoutError:
        return HUNG, said.getvalue()
    finally:
        signal.alarm(0)
    raise AssertionError("the command line ends the process")


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError


def _forget_mark() -> None:
    if MARK.is_dir():
        MARK.rmdir()
    else:
        MARK.unlink(missing_ok=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
