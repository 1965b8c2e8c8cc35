"""Synonyms out of WordNet's own files, the folder `dict` with index.noun, data.noun and so on (format: wndb(5WN)).

Miller 1995, WordNet: a lexical database for English, https://doi.org/10.1145/219717.219748
"""

from collections.abc import Iterator
from pathlib import Path

from components.core.errors import WinnowError

PARTS = ("noun", "verb", "adj", "adv")
LARGEST = 2**28  # bytes of one file; WordNet 3.1's largest has 2**24


def read_synonyms(folder: Path, most: int) -> dict[str, list[str]]:
    """For each word with synonyms at most so many, single ones in lower case: those of the part of speech of which most
    senses were met in texts first, and of its usual senses.

    Inflected forms are not in WordNet, and have none here. Raises WinnowError for files that are missing or otherwise.
    """
    senses: dict[str, list[tuple[int, list[str]]]] = {}  # of each part of speech how many were met, and their words
    for part in PARTS:
        synsets = dict(_synsets(folder / f"data.{part}"))
        for word, met, offsets in _index(folder / f"index.{part}"):
            if lacking := [offset for offset in offsets if offset not in synsets]:
                raise _wrong(folder / f"index.{part}", f"'{word[:40]}' is in set {lacking[0]}, which data.{part} lacks")
            senses.setdefault(word, []).append((met, [other for offset in offsets for other in synsets[offset]]))
    found = {}
    for word, parts in sorted(senses.items()):
        ordered = sorted(parts, key=lambda one: -one[0])
        others = dict.fromkeys(other for _, several in ordered for other in several if other != word)
        if others:
            found[word] = list(others)[:most]
    return found


def _index(path: Path) -> Iterator[tuple[str, int, list[int]]]:
    """Single words, how many of their senses were met in texts, and the sets they are in, the most usual first."""
    for number, line in _lines(path):
        try:
            word, _, sets, pointers, *rest = line.split()
            _, met, *listed = rest[int(pointers) :]
            tagged, offsets = int(met), [int(one) for one in listed]
            if len(offsets) != int(sets):
                raise ValueError
        except ValueError:
            raise _wrong(path, f"line {number} is none of an index") from None
        if "_" not in word:
            yield word.lower(), tagged, offsets


def _synsets(path: Path) -> Iterator[tuple[int, list[str]]]:
    """By its offset each set's single words; of an adjective without where it stands, such as `(a)`."""
    for number, line in _lines(path):
        try:
            offset, _, _, count, *rest = line.split()
            named = rest[: 2 * int(count, 16) : 2]
            if not named or len(rest) < 2 * int(count, 16):
                raise ValueError
            words = (one.partition("(")[0].lower() for one in named)
            yield int(offset), [one for one in words if "_" not in one]
        except ValueError:
            raise _wrong(path, f"line {number} is no set of words") from None


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """But for those of the license, which begin with two blanks."""
    try:
        if path.stat().st_size > LARGEST:
            raise _wrong(path, "it is too large")
        with path.open(encoding="utf-8") as stream:
            yield from ((number, line) for number, line in enumerate(stream, 1) if line[:2] != "  " and line.strip())
    except UnicodeDecodeError:
        raise _wrong(path, "it is not UTF-8") from None
    except OSError as error:
        raise _wrong(path, error.strerror or "it cannot be read") from None


def _wrong(path: Path, why: str) -> WinnowError:
    return WinnowError(
        f"{path} cannot be read as WordNet's ({why}): give synonyms.wordnet its folder `dict`, which holds "
        f"{', '.join(f'index.{part}' for part in PARTS)} and data.* beside them."
    )
