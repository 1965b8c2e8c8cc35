"""Standard output and error without secrets: whoever prints, a library's own lines and tracebacks included."""

import sys
from collections.abc import Iterable
from typing import Any

from components.core.secrets import without_secrets


class MaskedOutput:
    """A text stream that masks what is written to it; everything else is the stream's own."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write the text without its secrets; returns the length of what was given."""
        self.stream.write(without_secrets(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def mask_output() -> None:
    """Mask what this process prints from now on. Once more does nothing."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, MaskedOutput):
            setattr(sys, name, MaskedOutput(stream))
