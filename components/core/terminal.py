"""What is printed: foreign text cannot steer the terminal, and an output that is closed or full is no accident."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from components.core.masked_output import MaskedOutput
from components.core.secrets import without_secrets

# C0 but tab and line end, DEL, C1, marks without width, bidirectional overrides, line separators, half characters
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


class OutputGone(Exception):  # noqa: N818 - a state of the world outside
    """Standard output takes nothing any more; `cause` is what the system said."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(cause.strerror)
        self.cause = cause


def visible(text: str) -> str:
    """The text with every character that a terminal obeys instead of showing written out: `\\x1b`, `\\u202e`.

    Line ends and tabs stay.
    """
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def one_line(text: object) -> str:
    """A name (of a file, a class, a person) as one line of what is `visible`."""
    return visible(str(text)).replace("\n", "\\n")


def short(text: object, most: int = 60) -> str:
    """`one_line` of at most so many characters: how a sentence quotes what stands in a file."""
    line = one_line(text)
    return line if len(line) <= most else line[: most - 3] + "..."


@contextmanager
def guarded(*, needed: bool) -> Iterator[None]:
    """While the block runs, whatever is printed is `visible`; what cannot be written is dropped.

    needed: standard output is what the process is for: where it cannot be written, raise OutputGone instead.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Guarded(sys.stdout, needed=needed), _Guarded(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def reopen_closed() -> bool:
    """Give the standard streams that are closed a place, so that no file that is opened later becomes one of them.

    Returns whether standard output was closed.
    """
    closed = [number for number in (0, 1, 2) if not _is_open(number)]
    for number in closed:  # the lowest free number is given out first
        os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
    for number, name in ((1, "stdout"), (2, "stderr")):
        if number in closed:
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", closefd=False))
    return 1 in closed


def raw(stream: Any) -> Any:
    """The stream itself, for what draws with control characters on purpose (a progress bar)."""
    while isinstance(stream, MaskedOutput):
        stream = stream.stream
    return stream


class _Guarded(MaskedOutput):
    """A masked text stream that shows what it is given, and survives what lies behind it."""

    def __init__(self, stream: Any, *, needed: bool = False) -> None:
        super().__init__(stream)
        self._needed = needed
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # in a locale that lacks the character

    def write(self, text: str) -> int:
        self._try(self.stream.write, visible(without_secrets(text)))
        return len(text)

    def flush(self) -> None:
        self._try(self.stream.flush)

    def _try(self, action: Callable[..., Any], *arguments: str) -> None:
        try:
            action(*arguments)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())  # for the flush at the interpreter's end
            if self._needed:
                raise OutputGone(error) from None


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
