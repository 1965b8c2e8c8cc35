"""Stretches of a clip's frames that are hidden, and which of the hidden ones are to be told apart."""

from torch import Tensor, arange
from torch.nn import functional as F


def stretches(mask: Tensor, lots: Tensor, begins: float, span: int) -> Tensor:
    """`(B, T)`: which frames are hidden, of those that there are by mask `(B, T)`; lots: `(B, T)` in [0, 1).

    Of the places where a whole stretch fits those with the lowest lots begin one: `begins` of a clip's frames, one at
    least. Stretches may overlap; one has `span` frames, half the clip's at most.
    """
    lengths, places = mask.sum(1, keepdim=True), arange(mask.shape[1], device=mask.device)
    spans = (lengths // 2).clamp(1, span)
    fits = places <= lengths - spans
    first = (_rank(lots, fits) < (lengths * begins).round().clamp_min(1)) & fits
    begun = first.cumsum(1)
    ended = F.pad(begun, (1, 0)).gather(1, (places + 1 - spans).clamp_min(0))
    return (begun > ended) & mask


def distractors(hidden: Tensor, lots: Tensor, most: int) -> Tensor:
    """`(B, T, T)`: which hidden frames are compared with each hidden frame of a clip; hidden, lots: as above.

    Those that follow it in the order of their lots, around in a circle, `most` at most: each frame's are drawn evenly
    among the others, none twice.
    """
    rank, counts = _rank(lots, hidden), hidden.sum(1)[:, None, None]
    behind = (rank[:, None] - rank[:, :, None]) % counts.clamp_min(1)
    return hidden[:, None] & hidden[:, :, None] & (behind > 0) & (behind <= most)


def _rank(lots: Tensor, allowed: Tensor) -> Tensor:
    """`(B, T)`: the place of each in the order of its row's lots, those not allowed behind all others."""
    return lots.masked_fill(~allowed, 2).argsort(dim=1, stable=True).argsort(dim=1)
