"""UTF-16 without the mark that says so: found by what the bytes give, since NUL bytes alone pass for UTF-8."""

import codecs
import re
import unicodedata
from typing import Literal

HEAD = 8192  # bytes that are looked at
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_NO_LETTERS = {"Cc", "Cn", "Co", "Cs"}  # controls, what Unicode has not given out, what is private, half a pair
_SCRIPTS = 4  # whose letters one text has, as Japanese has


def utf_16(content: bytes) -> Literal["utf-16-le", "utf-16-be", ""]:
    """Which of both the content, or its first `HEAD` bytes, is; '': neither. What begins with a mark is not asked here.

    A text of another encoding has next to no control characters: only bytes that are full of them are looked at.
    """
    if (len(content) < HEAD and len(content) % 2) or not full_of_controls(content[:HEAD].decode("latin-1")):
        return ""
    found = [
        (sum(one < "\u0250" for one in text), -len(set(content[high:HEAD:2])), name)
        for name, high in (("utf-16-be", 0), ("utf-16-le", 1))
        if (text := _clean(content[:HEAD], name))
    ]
    return max(found)[2] if found else ""  # type: ignore[return-value]


def full_of_controls(text: str) -> bool:
    """Whether more than one character in a hundred is a control that no text has."""
    return len(_CONTROL.findall(text)) > len(text) // 100


def _clean(content: bytes, name: str) -> str:
    """The text, where all of it is letters and signs that Unicode has given out; else nothing."""
    try:
        text = codecs.getincrementaldecoder(name)().decode(content)
    except UnicodeDecodeError:
        return ""
    signs = set(text) - {"\t", "\n", "\r"}
    odd = any(unicodedata.category(one) in _NO_LETTERS for one in signs)
    scripts = {unicodedata.name(one, "").split(" ")[0] for one in signs if one.isalpha()}
    return "" if odd or len(scripts) > _SCRIPTS else text
