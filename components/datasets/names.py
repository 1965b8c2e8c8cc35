"""Names as people type them: one normal form wherever one is read, and which names are likely one name misspelled."""

import unicodedata

# Characters that show nothing and part no letters: zero-width space, word joiner, byte order mark, soft hyphen, and
# the marks of writing direction. (The joiners U+200C and U+200D stay: some scripts and emoji need them.)
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e"))
# Cyrillic and Greek letters that look like Latin ones, in lower case.
_LOOK_ALIKE = str.maketrans("аеорсухіјѕвкмнтαεοικνρτυχ", "aeopcyxijsbkmhtaeoiknptux")
_SHORTEST = 3  # letters of a name that a slip of one letter is looked for in: 'a' and 'b' are no misspellings


def normal(name: str) -> str:
    """The name in composed form (NFC), without invisible characters, blanks at the ends, or several blanks in a row."""
    return " ".join(unicodedata.normalize("NFC", name.translate(_INVISIBLE)).split())


def skeleton(name: str) -> str:
    """What is left of a name without case, width, blanks, dashes and look-alikes: equal for names that look alike."""
    folded = unicodedata.normalize("NFKC", name).casefold().translate(_LOOK_ALIKE)
    return "".join(
        one for one in folded if one not in "_-." and not one.isspace() and unicodedata.category(one) != "Cf"
    )


def alike(name: str, other: str) -> bool:
    """Whether two names are likely one: alike but for case and the like, or one letter wrong, missing or swapped.

    A digit that differs is no slip: `grade 1` and `grade 2` are two classes.
    """
    mine, theirs = skeleton(name), skeleton(other)
    return mine == theirs or (min(len(mine), len(theirs)) >= _SHORTEST and _one_slip(mine, theirs))


def _one_slip(mine: str, theirs: str) -> bool:
    start = next(
        (at for at, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), min(len(mine), len(theirs))
    )
    mine, theirs = mine[start:], theirs[start:]
    while mine and theirs and mine[-1] == theirs[-1]:
        mine, theirs = mine[:-1], theirs[:-1]
    swapped = len(mine) == 2 and mine == theirs[::-1]
    return (max(len(mine), len(theirs)) <= 1 or swapped) and not any(one.isdigit() for one in mine + theirs)
