"""What `winnow doctor` looks at: each function here returns what it found wrong, each with its cure."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: a sentence, what to do about it, and what `--fix` does itself.

    fix: does it and says what it did; None where only a person can decide. wrong: False for what is no fault.
    """

    what: str
    cure: str
    fix: Callable[[], str] | None = None
    wrong: bool = True
