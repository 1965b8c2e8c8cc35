"""From a file's bytes, in whatever encoding, to the text that is kept: composed letters, no control characters."""

import codecs
import contextlib
import re
import unicodedata
from dataclasses import dataclass

from components.datasets.records import Unreadable
from components.datasets.utf_16 import full_of_controls, utf_16

MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# Controls but line ends and tabs, marks that turn the direction of all that follows, and the byte order mark.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_BLANKS, _LINES = re.compile(r"[^\S\n]+"), re.compile(r" ?\n ?(?:\n ?)+")
LOSSES = {
    "latin": "are not UTF-8 and were read as Latin-1 (Windows-1252): save them as UTF-8 if letters look wrong",
    "controls": "held NUL or other control characters, which were left out: nothing to do unless letters are missing",
    "cut": "are longer than ingest.modality.characters, and the rest of them is not read: raise it to read all",
}


@dataclass(frozen=True)
class Decoded:
    """The text, how many characters were found, and names of `LOSSES`."""

    text: str
    characters: int
    lost: tuple[str, ...]


def decode(content: bytes, longest: int) -> Decoded:
    """UTF-8 and UTF-16, each with or without a byte order mark, else Latin-1; at most `longest` characters.

    Raises Unreadable for what is empty, and for what is binary: neither UTF-8 nor UTF-16, and full of control
    characters that no text of another encoding has.
    """
    text, latin = _letters(content)
    plain = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    controls = len(plain) < len(text) - text.count("\r\n") - text.startswith("\ufeff")
    if latin and full_of_controls(text):
        raise Unreadable("bytes that no encoding of a text has: not a text file.", "no_picture")
    said = unicodedata.normalize("NFC", plain)
    said = _LINES.sub("\n\n", _BLANKS.sub(" ", said)).strip()
    if not said:
        raise Unreadable("empty: no text is in it.")
    lost = {"latin": latin, "controls": controls, "cut": len(said) > longest}
    return Decoded(said[:longest].rstrip(), len(said), tuple(name for name, is_lost in lost.items() if is_lost))


def _letters(content: bytes) -> tuple[str, bool]:
    """The text, and whether Latin-1 was all that was left to try, as Windows has it."""
    mark = next((mark for mark in MARKS if content.startswith(mark)), b"")
    with contextlib.suppress(UnicodeDecodeError):
        return content[len(mark) :].decode(MARKS[mark] if mark else utf_16(content) or "utf-8"), False
    with contextlib.suppress(UnicodeDecodeError):
        return content.decode("cp1252"), True
    return content.decode("latin-1"), True
