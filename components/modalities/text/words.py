"""What counts as a word in a text of any script, without a dictionary of any."""

import re
import sys
import unicodedata
from functools import cache

# Written without blanks between words: each sign is one, since nothing here knows where words end.
_SIGNS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_JOINERS = "\u200c\u200d"


def words(text: str) -> list[str]:
    """Runs of letters, digits and marks; signs of scripts without blanks, punctuation and emoji one by one."""
    found: list[str] = _compiled().findall(text)
    return found


def spans(text: str) -> list[tuple[int, int]]:
    """Of each of the `words` its first character, and the one behind its last."""
    return [found.span() for found in _compiled().finditer(text)]


def pattern() -> str:
    """A regular expression of one word.

    Python's `\\w` leaves out the marks that vowels are written by in half of India's scripts.
    """
    marks = "".join(chr(code) for code in range(0x300, 0x1E00) if unicodedata.category(chr(code))[0] == "M")
    tails = f"{re.escape(marks)}{_JOINERS}\u20d0-\u20f0\ufe00-\ufe0f"
    skin = "\U0001f3fb-\U0001f3ff" if sys.maxunicode > 0xFFFF else ""
    return f"[{_SIGNS}][{tails}]*|(?:(?![{_SIGNS}])\\w[{tails}]*)+|[^\\w\\s][{tails}{skin}]*"


@cache
def _compiled() -> re.Pattern[str]:
    return re.compile(pattern())
