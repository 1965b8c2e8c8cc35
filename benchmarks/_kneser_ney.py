"""Interpolated n-grams with modified Kneser-Ney smoothing, over the numbers of a vocabulary's entries.

Chen & Goodman 1999, An empirical study of smoothing techniques for language modeling,
https://doi.org/10.1006/csla.1999.0128, section 4.1.6 and equations 26 and 27; Kneser & Ney 1995.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

START = -1  # stands before each text; nothing foretells it
Gram = tuple[int, ...]


class KneserNey:
    """Of all texts, which are foretold one by one: nothing is known before their first entry.

    Sequences of the whole order count as they are met, shorter ones by how many entries stand before them anywhere, and
    those at a text's beginning, before which nothing stands, as they are met.
    """

    def __init__(self, texts: Iterable[Sequence[int]], order: int, symbols: int) -> None:
        """order: of the longest sequences, the foretold entry among them; symbols: entries that there can be."""
        self.order, self.symbols = order, symbols
        self._counts = _counts(texts, order)
        self._off = [_discounts(counts) for counts in self._counts]
        self._sums: list[dict[Gram, int]] = []
        self._left: list[dict[Gram, float]] = []
        for counts, off in zip(self._counts, self._off, strict=True):
            sums: defaultdict[Gram, int] = defaultdict(int)
            taken: defaultdict[Gram, float] = defaultdict(float)
            for gram, count in counts.items():
                sums[gram[:-1]] += count
                taken[gram[:-1]] += off[min(count, 3)]
            self._sums.append(dict(sums))
            self._left.append({before: taken[before] / total for before, total in sums.items()})

    def probability(self, entry: int, before: Sequence[int]) -> float:
        """Of `entry` after those `before` it in its text, all of them; the last ones will do, if `order` or more."""
        known = (START, *before)
        known = known[max(0, len(known) + 1 - self.order) :]
        found = 1 / self.symbols
        for size in range(len(known) + 1):
            context = known[len(known) - size :]
            total = self._sums[size].get(context)
            if total is None:
                break  # nor is anything longer
            count = self._counts[size].get((*context, entry), 0)
            found = (count - self._off[size][min(count, 3)]) / total + self._left[size][context] * found
        return found

    def surprise(self, texts: Iterable[Sequence[int]]) -> float:
        """The sum of `-log p` over all entries of the texts, in nats."""
        return -sum(
            math.log(self.probability(entry, text[max(0, place - self.order) : place]))
            for text in texts
            for place, entry in enumerate(text)
        )


def _counts(texts: Iterable[Sequence[int]], order: int) -> list[dict[Gram, int]]:
    """By length, from 1: how much each sequence counts."""
    met: list[Counter[Gram]] = [Counter() for _ in range(order)]
    for text in texts:
        known = (START, *text)
        for size in range(1, order + 1):
            grams = zip(*(known[start:] for start in range(size)), strict=False)
            met[size - 1].update(gram for gram in grams if gram != (START,))
    found: list[dict[Gram, int]] = []
    for size in range(1, order):
        by_what_precedes = Counter(gram[1:] for gram in met[size])
        begun = {gram: count for gram, count in met[size - 1].items() if gram[0] == START}
        found.append({**by_what_precedes, **begun})
    return [*found, dict(met[-1])]


def _discounts(counts: dict[Gram, int]) -> tuple[float, float, float, float]:
    """What is taken off a count of 0, 1, 2, and 3 or more: a half each where counts are too few to estimate it by."""
    of = Counter(min(count, 5) for count in counts.values())
    if all(of[size] for size in (1, 2, 3, 4)):
        share = of[1] / (of[1] + 2 * of[2])
        one, two, more = (size - (size + 1) * share * of[size + 1] / of[size] for size in (1, 2, 3))
        if min(one, two, more) > 0:
            return 0.0, one, two, more
    return 0.0, 0.5, 0.5, 0.5
