"""Names as people type them: one normal form wherever one is read, and which names are likely one name misspelled."""

import re
import unicodedata
from functools import lru_cache

# Characters that show nothing and part no letters: zero-width space, word joiner, byte order mark, soft hyphen, and
# the marks of writing direction. (The joiners U+200C and U+200D stay: some scripts and emoji need them.)
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e"))
_JOINERS = "\u200c\u200d"
# Cyrillic and Greek letters that look like Latin ones, in lower case.
_LOOK_ALIKE = str.maketrans("аеорсухіјѕвкмнтαεοικνρτυχ", "aeopcyxijsbkmhtaeoiknptux")
_SHORTEST = 3  # letters of a name that a slip of one letter is looked for in: 'a' and 'b' are no misspellings
_REPLACED = 5  # letters of a name in which another letter is as likely a slip as one too many: 'cat' and 'car' are two
_FEW, _SHARE = 2, 0.1  # labels, and share of the other's, up to which a name one slip away is likely that slip


def normal(name: str) -> str:
    """The name in composed form (NFC), without invisible characters, blanks at the ends, or several blanks in a row."""
    return " ".join(unicodedata.normalize("NFC", name.translate(_INVISIBLE)).split())


def unprintable(name: str) -> str:
    """The first character that no name has (a control, half a pair, one not given out by Unicode), else nothing."""
    if name.isprintable():
        return ""
    return next((one for one in name if unicodedata.category(one)[0] == "C" and one not in _JOINERS), "")


@lru_cache(maxsize=2**14)
def skeleton(name: str) -> str:
    """What is left of a name without case, width, blanks, dashes and look-alikes: equal for names that look alike."""
    folded = unicodedata.normalize("NFKC", name).casefold().translate(_LOOK_ALIKE)
    return "".join(
        one for one in folded if one not in "_-." and not one.isspace() and unicodedata.category(one) != "Cf"
    )


def likely_slip(name: str, count: int, other: str, more: int) -> bool:
    """Whether a name with `count` labels is likely the other, with `more`, misspelled.

    Names that look alike always are. One letter too many, too few, swapped or replaced is a slip only of a name that is
    rare beside the other. A differing digit or word of one letter is none: `grade 1` and `grade 2` are two classes.
    """
    mine, theirs = skeleton(name), skeleton(other)
    if mine == theirs:
        return True
    if count >= more or _numbered(name, other):
        return False
    rare = count <= _SHARE * more
    shortest = min(len(mine), len(theirs))
    if shortest < _SHORTEST or not (rare or count <= _FEW):
        return False
    slip = _difference(mine, theirs)
    if slip == "replaced":
        return rare or shortest >= _REPLACED
    return slip is not None


def _numbered(name: str, other: str) -> bool:
    """Whether the names differ in a word of one letter: `class a` and `class b`."""
    mine, theirs = (re.split(r"[\W_]+", one.casefold()) for one in (name, other))
    differing = [pair for pair in zip(mine, theirs, strict=False) if pair[0] != pair[1]]
    return len(mine) == len(theirs) > 1 and any(len(a) == len(b) == 1 for a, b in differing)


def _difference(mine: str, theirs: str) -> str | None:
    """`replaced` or `other` where one letter (or two, swapped) makes the difference, and no digit; else None."""
    start = next(
        (at for at, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), min(len(mine), len(theirs))
    )
    mine, theirs = mine[start:], theirs[start:]
    while mine and theirs and mine[-1] == theirs[-1]:
        mine, theirs = mine[:-1], theirs[:-1]
    if any(one.isdigit() for one in mine + theirs):
        return None
    if len(mine) == len(theirs) == 1:
        return "replaced"
    return "other" if max(len(mine), len(theirs)) <= 1 or (len(mine) == 2 and mine == theirs[::-1]) else None
