"""From texts to numbers: a table of words or pieces of them, or the bytes themselves; measured on training texts."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.modalities.text import given, pieces
from components.modalities.text.pieces import ALL_BYTES, LEARNED, Kind
from components.modalities.text.words import words

Ids = npt.NDArray[np.int64]
PAD, UNKNOWN, FIRST = 0, 1, 2  # numbers of nothing, of a word that is not in the table, and of the first that is
KEPT = 2**26  # bytes of texts and their numbers that are kept, so that another epoch need not split them again


def measure(texts: Callable[[], Iterable[str]], kind: Kind, *, least: int, most: int) -> dict[str, Any]:
    """Statistics of the texts, which may be walked through twice: `counts`, how often each entry is in them.

    At most `most` of them, each at least `least` times; with ties by name. For pieces of words see `pieces.learn`.
    """
    if kind == "bpe" or kind == "wordpiece":
        return pieces.learn(texts, kind, least=least, most=most)
    found: Counter[str] = Counter()
    for text in texts():
        found.update(_words(text) if kind == "words" else _bytes(text))
    enough = [(entry, number) for entry, number in found.items() if number >= least]
    return {"counts": dict(sorted(enough, key=lambda pair: (-pair[1], pair[0]))[:most])}


def check(statistics: Mapping[str, Any], kind: Kind) -> None:
    """Raise ValueError for statistics that `measure` cannot have given."""
    if "normalizer" in statistics:
        kind, known = "wordpiece", {"counts", "normalizer"}
    else:
        known = {"counts", "merges"} if kind == "bpe" else {"counts"}
    counts = statistics.get("counts")
    if statistics.keys() != known or not isinstance(counts, dict) or not counts:
        raise ValueError(f"statistics must be {' and '.join(sorted(known))}, with a number for each entry in counts")
    least = 0 if kind in LEARNED else 1
    if not all(isinstance(one, int) and not isinstance(one, bool) and one >= least for one in counts.values()):
        raise ValueError(f"counts must be whole numbers from {least} on")
    if kind == "bytes" and not all(name.isdecimal() and int(name) < ALL_BYTES for name in counts):
        raise ValueError("counts must be of bytes, 0 to 255")
    if kind == "bpe":
        pieces.check(counts, statistics["merges"])
    if "normalizer" in statistics:
        given.check(statistics)


class Vocabulary:
    """`entries`, the most frequent first, which is their numbers' order whatever that of the file; `frequencies`.

    statistics: as `measure` makes them, or as given weights bring them, which go before the `kind` that the settings
    say; length: entries of a text that are seen.
    """

    def __init__(self, statistics: Mapping[str, Any], kind: Kind, length: int) -> None:
        self.normalizer, self.merges = statistics.get("normalizer"), statistics.get("merges", ())
        self.kind: Kind = kind if self.normalizer is None else "wordpiece"
        self.length, self._counts = length, statistics["counts"]
        self.entries = sorted(self._counts, key=lambda entry: (-self._counts[entry], entry))
        self._numbers = {entry: number for number, entry in enumerate(self.entries, FIRST)}
        self._known: dict[bytes, Ids] = {}
        self._room = KEPT

    def __len__(self) -> int:
        return FIRST + len(self.entries)

    @property
    def frequencies(self) -> tuple[float, ...]:
        """`(V,)` the share of each number in the training texts; 0 for what is no entry; none where nobody counted."""
        if self.normalizer is not None:
            return ()
        total = max(1, sum(self._counts.values()))
        return (0.0,) * FIRST + tuple(self._counts[entry] / total for entry in self.entries)

    @property
    def sizes(self) -> tuple[float, ...]:
        """`(V,)` how many bytes of a text each number stands for; none where that is not kept, as letters' case."""
        if self.kind == "bytes":
            return (0.0,) * FIRST + (1.0,) * len(self.entries)
        return (0.0,) * FIRST + tuple(float(len(one)) for one in self.entries) if self.kind == "bpe" else ()

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
        said = ["▢" if number < FIRST else self.entries[number - FIRST] for number in kept]
        if self.kind == "bpe" or self.kind == "wordpiece":
            return pieces.joined(said, self.kind)
        return " ".join(said)

    def _of(self, text: bytes) -> Ids:
        found = self._known.get(text)
        if found is None:
            parts = self._split(text.decode("utf-8", "replace"))[: self.length]
            found = np.array([self._numbers.get(part, UNKNOWN) for part in parts], np.int64)
            if self._room > 0:
                self._known[text] = found
                self._room -= len(text) + found.nbytes
        return found

    @cached_property
    def _split(self) -> Callable[[str], list[str]]:
        if self.normalizer is not None:
            return given.splitter(self.entries, self.normalizer)
        if self.kind == "bpe" or self.kind == "wordpiece":
            return pieces.splitter(self.entries, self.merges, self.kind)
        return _words if self.kind == "words" else _bytes


def _words(text: str) -> list[str]:
    return words(text.lower())


def _bytes(text: str) -> list[str]:
    return [str(byte) for byte in text.encode()]
