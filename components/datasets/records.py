"""What becomes of one file: a record and what is known of it, or the reason why there is none."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from components.core.errors import WinnowError

Array = npt.NDArray[Any]
Content = bytes | Array


class Unreadable(WinnowError):  # noqa: N818 - said of a file, not of the program
    """Not a file that can be used; the text says why, `kind` is one of `quarantine.KINDS`."""

    def __init__(self, text: str, kind: str = "unreadable") -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Record:
    """values: what the store keeps; facts: of the file, by the kind's own columns; lost: names of the kind's losses."""

    values: Array
    facts: dict[str, Any]
    lost: tuple[str, ...] = ()
