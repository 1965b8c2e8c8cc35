"""Heads and feet that very many texts share: what they say of a text is only where it comes from."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from components.modalities.text.words import words

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
WORDS, LETTERS = 5, 20  # that a head has at least; bytes, so that five signs of Chinese are none
SHARE, FEWEST = 0.01, 10  # of the texts, and texts, that have it at least
KEPT = 0.9  # of these that a longer one must still have
NEAR, FAR = 160, 4000  # bytes of a text in which its first words are looked for, and the whole of what is shared
SAMPLE = 500  # texts that show how long it is
QUOTED = 100  # characters of it in a sentence


@dataclass(frozen=True)
class _End:
    """From where texts are read: their beginning, or backwards from their end."""

    verb: str
    back: bool

    def words(self, record: Array, most: int) -> list[str]:
        """The words within so many bytes, the outermost first; the last, which may be cut, is left out."""
        part = record[-most:] if self.back else record[:most]
        found = words(part.tobytes().decode("utf-8", "ignore"))
        found = found[::-1] if self.back else found
        return found[:-1] if len(part) < len(record) else found

    def said(self, record: Array, count: int) -> str:
        """The first so many words, as they stand there."""
        text = record.tobytes().decode("utf-8", "replace")
        place = len(text) if self.back else 0
        for word in self.words(record, FAR)[:count]:
            place = text.rindex(word, 0, place) if self.back else text.index(word, place) + len(word)
        said = " ".join((text[place:] if self.back else text[:place]).split())
        if len(said) <= QUOTED:
            return said
        return f"...{said[-QUOTED:]}" if self.back else f"{said[:QUOTED]}..."


def boilerplate(record: Callable[[int], Array], rows: Rows) -> list[str]:
    """A sentence for each head and foot that `SHARE` of the texts or more have, with how many do; the widest first.

    record: UTF-8 bytes of a row; they are read one by one, and eight bytes of each are kept.
    """
    return [sentence for end in (_End("begin", False), _End("end", True)) for sentence in _shared(record, rows, end)]


def _shared(record: Callable[[int], Array], rows: Rows, end: _End) -> list[str]:
    least = max(FEWEST, SHARE * len(rows))
    prints = np.fromiter((_print(end.words(record(row), NEAR)) for row in rows.tolist()), np.uint64, len(rows))
    found, counts = np.unique(prints, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    said = []
    for number in order[counts[order] >= least]:
        if found[number]:
            members = rows[prints == found[number]]
            some = members[:: -(-len(members) // SAMPLE)].tolist()
            which, length = _longest([end.words(record(row), FAR) for row in some])
            shared = end.said(record(some[which]), length)
            if len(shared.encode()) >= LETTERS:
                said.append(
                    f"{len(members):,} of {len(rows):,} texts {end.verb} alike, nearly all of them with the same "
                    f"{length} words: '{shared}'; take these out of the source, or different texts seem alike."
                )
    return said


def _print(found: list[str]) -> int:
    """64 bits of the first words, whatever their case; 0 where there are fewer."""
    if len(found) < WORDS:
        return 0
    text = " ".join(found[:WORDS]).lower().encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") | 1


def _longest(texts: list[list[str]]) -> tuple[int, int]:
    """Which text begins with the words that nearly all of them have first, and how many words these are."""
    left, least, length = list(range(len(texts))), KEPT * len(texts), 0
    while True:
        after = Counter(texts[one][length].lower() for one in left if len(texts[one]) > length)
        word, count = max(after.items(), key=lambda pair: (pair[1], pair[0]), default=("", 0))
        if count < least:
            return left[0], length
        left = [one for one in left if len(texts[one]) > length and texts[one][length].lower() == word]
        length += 1
