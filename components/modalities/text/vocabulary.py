"""From texts to numbers: a table of words, or the bytes themselves; counted on training texts, kept as JSON."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.modalities.text.words import words

Ids = npt.NDArray[np.int64]
Kind = Literal["words", "bytes"]
PAD, UNKNOWN, FIRST = 0, 1, 2  # numbers of nothing, of a word that is not in the table, and of the first that is
KEPT = 2**26  # bytes of texts and their numbers that are kept, so that another epoch need not split them again


def pieces(text: str, kind: Kind) -> list[str]:
    """The parts of a text that a vocabulary counts: words in lower case, or bytes by their numbers."""
    return words(text.lower()) if kind == "words" else [str(byte) for byte in text.encode()]


def count(texts: Iterable[str], kind: Kind, *, least: int, most: int) -> dict[str, int]:
    """How often each entry is in the texts: at most `most` of them, each at least `least` times; with ties by name."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(pieces(text, kind))
    enough = [(entry, number) for entry, number in found.items() if number >= least]
    return dict(sorted(enough, key=lambda pair: (-pair[1], pair[0]))[:most])


def check(statistics: Mapping[str, Any], kind: Kind) -> None:
    """Raise ValueError for statistics that `count` cannot have given."""
    counts = statistics.get("counts")
    if statistics.keys() != {"counts"} or not isinstance(counts, dict) or not counts:
        raise ValueError("statistics must be counts, a number for each entry of the vocabulary")
    if not all(isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in counts.values()):
        raise ValueError("counts must be whole numbers above 0")
    if kind == "bytes" and not all(name.isdecimal() and int(name) < 256 for name in counts):
        raise ValueError("counts must be of bytes, 0 to 255")


class Vocabulary:
    """`entries`, the most frequent first, which is their numbers' order whatever that of the file; `frequencies`."""

    def __init__(self, counts: Mapping[str, int], kind: Kind, length: int) -> None:
        self.kind, self.length = kind, length
        self.entries = sorted(counts, key=lambda entry: (-counts[entry], entry))
        self._numbers = {entry: number for number, entry in enumerate(self.entries, FIRST)}
        self._counts = counts
        self._known: dict[bytes, Ids] = {}
        self._room = KEPT

    def __len__(self) -> int:
        return FIRST + len(self.entries)

    @property
    def frequencies(self) -> tuple[float, ...]:
        """`(V,)` the share of each number in the training texts; 0 for what is no entry."""
        total = sum(self._counts.values())
        return (0.0,) * FIRST + tuple(self._counts[entry] / total for entry in self.entries)

    def tokens(self, records: Tensor) -> Tensor:
        """Texts as UTF-8 bytes `(B, L)`, padded with 0 -> numbers `(B, T)` int64, padded with 0, T at least 1.

        Of longer texts the first `length`; T is the longest of these texts, whatever is done to them then.
        """
        rows = [self._of(row.tobytes().rstrip(b"\0")) for row in records.cpu().numpy()]
        together = np.zeros((len(rows), max(1, max(map(len, rows), default=1))), np.int64)
        for row, numbers in zip(together, rows, strict=True):
            row[: len(numbers)] = numbers
        return torch.from_numpy(together).to(records.device)

    def text(self, numbers: Iterable[int]) -> str:
        """Numbers back to a text, as far as that goes: words with blanks between them, ▢ for one that is no entry."""
        kept = [number for number in numbers if number != PAD]
        if self.kind == "bytes":
            known = bytes(int(self.entries[number - FIRST]) for number in kept if number >= FIRST)
            return known.decode("utf-8", "replace")
        return " ".join("▢" if number < FIRST else self.entries[number - FIRST] for number in kept)

    def _of(self, text: bytes) -> Ids:
        found = self._known.get(text)
        if found is None:
            parts = pieces(text.decode("utf-8", "replace"), self.kind)[: self.length]
            found = np.array([self._numbers.get(part, UNKNOWN) for part in parts], np.int64)
            if self._room > 0:
                self._known[text] = found
                self._room -= len(text) + found.nbytes
        return found
