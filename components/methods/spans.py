"""Stretches of a text cut out, as T5 does: what is left, and what is to be said of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

UNKNOWN = 1  # what stands in the place of a span
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cut:
    """seen: `(B, L)` numbers of what is left, a mark for each span; marks: `(B, L)` which mark, from 1, 0 for words;
    said: `(B, M)` for each span its mark and its words, then one mark more; marks are numbers from `symbols` on.
    """

    seen: Tensor
    marks: Tensor
    said: Tensor


def cut(views: Tensor, lots: Tensor, share: float, span: float, symbols: int) -> Cut:
    """Cut about `share` of each text's words out of it, in spans of `span` on average.

    views: `(B, T)`, 0 behind a text's end; lots: `(B, 2, S)` in [0, 1), S at least T. Of a text of one word nothing is
    cut out. A row depends on its own words and lots alone.
    """
    rows = [
        _one(row[row > 0], drawn, share, span, symbols)
        for row, drawn in zip(views.cpu().numpy(), lots.cpu().numpy(), strict=True)
    ]
    parts = (_padded(part).to(views.device) for part in zip(*rows, strict=True))
    return Cut(*parts)


def most_spans(length: int, share: float, span: float) -> int:
    """How many spans a text of at most `length` words can have."""
    return max(_counts(words, share, span)[1] for words in range(length + 1))


def _counts(length: int, share: float, span: float) -> tuple[int, int]:
    """Words that are cut out, and in how many spans; between two of them stands a word, and before the first."""
    if length < 2:
        return 0, 0
    out = min(max(1, round(length * share)), length - 1)
    return out, min(max(1, round(out / span)), out, length - out)


def _one(words: Ids, lots: npt.NDArray[np.floating], share: float, span: float, symbols: int) -> tuple[Ids, Ids, Ids]:
    out, spans = _counts(len(words), share, span)
    kept, gone = _parts(len(words) - out, spans, lots[0]), _parts(out, spans, lots[1])
    seen, marks, said = [], [], []
    start = 0
    for number, (stay, leave) in enumerate(zip(kept, gone, strict=True), 1):
        seen += [*words[start : start + stay], UNKNOWN]
        marks += [0] * stay + [number]
        start += stay
        said += [symbols + number - 1, *words[start : start + leave]]
        start += leave
    seen, marks = [*seen, *words[start:]], [*marks, *[0] * (len(words) - start)]
    return np.array(seen, np.int64), np.array(marks, np.int64), np.array([*said, symbols + spans], np.int64)


def _parts(total: int, count: int, lots: npt.NDArray[np.floating]) -> list[int]:
    """`total` as the sum of `count` whole numbers above 0, all such sums alike likely."""
    if not count:
        return []
    inner = np.sort(np.argsort(lots[: total - 1], kind="stable")[: count - 1]) + 1
    return [int(part) for part in np.diff([0, *inner, total])]


def _padded(rows: tuple[Ids, ...]) -> Tensor:
    together = np.zeros((len(rows), max(1, max(map(len, rows), default=1))), np.int64)
    for row, numbers in zip(together, rows, strict=True):
        row[: len(numbers)] = numbers
    return torch.from_numpy(together)
