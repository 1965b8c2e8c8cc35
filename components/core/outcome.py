"""How a process ends: every exception as one sentence and an exit code, those that nobody foresaw with a log."""

import errno
import json
import traceback
from pathlib import Path

from components.core.errors import Unavailable, WinnowError
from components.core.secrets import without_secrets

FAILED, DEFECT, RETRY, STOPPED = 1, 70, 75, 130  # a person's turn, ours, nobody's: run it again later, asked to stop
LOGS = Path(".winnow/logs")
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
CUT_SHORT = ("requested and", "problem writing element")  # numpy's words for a full disk, without a number
PASSING = {  # what may be over at the next try; whatever else the system refuses stays until somebody mends it
    *(errno.EIO, errno.ESTALE, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ENFILE, errno.EPIPE),
    *(errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.ENOTCONN),
    *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH),
}


def explain(error: BaseException, name: str, *, place: str = "", again: str = "run it again") -> tuple[str, int]:
    """What is said of an error that ended the work on `name`, and the exit code. A defect's details go into a log.

    place: where outputs were being written; again: what to do when the cause is mended.
    """
    if isinstance(error, WinnowError):
        return str(error), RETRY if isinstance(error, Unavailable) else FAILED
    if isinstance(error, KeyboardInterrupt):
        return "stopped.", STOPPED
    if isinstance(error, MemoryError):
        return "out of memory: lower the batch size or the image size in params.yaml.", FAILED
    if isinstance(error, OSError):
        return _of_the_system(error, place, again)
    if _damaged(error):
        return (
            f"a file that the pipeline reads is damaged ({_short(error)}): `winnow doctor` names it, `winnow doctor "
            f"--fix` brings it back where DVC's cache has it; details in {_log(error, name)}.",
            FAILED,
        )
    told = f"{type(error).__name__}: {_short(error)}" if str(error) else type(error).__name__
    return f"{told}. This is a defect in Winnow; details in {_log(error, name)}.", DEFECT


def _of_the_system(error: OSError, place: str, again: str) -> tuple[str, int]:
    """What the operating system refused, as a sentence with its cure, and the exit code that goes with it."""
    what = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
    if error.errno in FULL or any(words in str(error) for words in CUT_SHORT):
        where = f", while {place}" if place and not error.filename else ""
        return f"{what}{where}: free some room on that disk, then {again}.", FAILED
    if error.errno in PASSING or error.errno is None:  # without a number: a library's word for a network that failed
        return f"{what}: trying again may help; if it does not, check the disk and the network.", RETRY
    return f"{what}: check that it is there and that you may write it, then {again}.", FAILED


def _damaged(error: BaseException) -> bool:
    """A file whose content is not what its name says: JSON, text, parquet, safetensors."""
    foreign = type(error).__module__.partition(".")[0] in ("pyarrow", "safetensors_rust", "safetensors")
    return foreign or isinstance(error, json.JSONDecodeError | UnicodeDecodeError | EOFError)


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def _log(error: BaseException, name: str) -> Path | str:
    path = LOGS / f"{name}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        details = without_secrets("".join(traceback.format_exception(error)))
        path.write_text(details, encoding="utf-8", errors="backslashreplace")
    except OSError as refused:
        return f"no file ({refused.strerror}); run it with --debug"
    return path
