"""DVC's standard error in few words: what a stage said itself is not said again; a killed stage gets its sentence."""

import re
from typing import Any

BRIEF = "WINNOW_BRIEF"  # environment: a person reads along, and whoever started this says that it was stopped
_ENDED = re.compile(r"failed to reproduce '([^']*)'.*exited with (-?\d+)")
_KILLED = {-9, 137}
_STOPPED = {-15, 130, 143}
_NOISE = (
    "interrupted by the user",
    "had been killed. Auto removed it",
    "Having any troubles?",
    "https://dvc.org/support",
)


class FewWords:
    """A text stream that passes whole lines on, those that nobody needs left out."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._begun = ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            if (said := few_words(line)) is not None:
                self._stream.write(said + "\n")
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def few_words(line: str) -> str | None:
    """What is left of a line of DVC's standard error; None where that is nothing."""
    if match := _ENDED.search(line):
        stage, code = match[1], int(match[2])
        if code in _KILLED:
            return f"winnow: {stage}: it was killed, by a person or for want of memory: run it again."
        return f"winnow: {stage}: stopped." if code in _STOPPED else None
    return None if any(words in line for words in _NOISE) else line
