"""How a process of ours ends: whatever happens in it becomes one sentence, a log where nobody foresaw it, a code."""

import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from components.core.errors import WinnowError
from components.core.outcome import FAILED, RETRY, explain
from components.core.terminal import OutputGone, guarded, reopen_closed

CLOSED = "standard output is closed, so nothing can be said there: send it to a file, or to /dev/null."


def end_with(work: Callable[[], object], *, name: str, debug: bool = False) -> NoReturn:
    """Do the work and end the process.

    Exit code 1 for what a person can mend, 70 for a defect of ours (details in `.winnow/logs/<name>.log`), 130 where
    somebody stopped it, 141 where nobody reads what it prints (the shell's number for a broken pipe, without a word).
    debug: let exceptions through.
    """
    closed = reopen_closed()
    with guarded(needed=True):
        sys.exit(_code(work, name, closed, debug))


def _code(work: Callable[[], object], name: str, closed: bool, debug: bool) -> int | str | None:
    try:
        if closed:
            raise WinnowError(CLOSED)
        try:
            work()
        finally:
            sys.stdout.flush()
    except SystemExit as end:
        if _was_stopped(end):
            print("winnow: stopped.", file=sys.stderr)
        return end.code
    except OutputGone as gone:
        if isinstance(gone.cause, BrokenPipeError):
            return 128 + signal.SIGPIPE
        print(f"winnow: standard output: {gone}: free some room there, or write elsewhere.", file=sys.stderr)
        return FAILED
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            raise
        sentence, code = explain(error, name)
        print(f"winnow: {sentence}", file=sys.stderr)
        return FAILED if code == RETRY else code
    return 0


def _was_stopped(end: BaseException | None) -> bool:
    """Whether a KeyboardInterrupt led to it: typer makes an exit of one, without a word."""
    while end is not None and not isinstance(end, KeyboardInterrupt):
        end = end.__cause__ or end.__context__
    return end is not None
