"""Near-duplicates: candidates by perceptual hash through a binary index, confirmed on the pixels."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]
Closeness = Literal["off", "exact", "close"]
HASH_BYTES = 8
MAX_DISTANCE = 4  # differing bits of 64; copies resized to half or saved at quality 50 differ in 0 to 4
MAX_DIFFERENCE = 1.5  # mean absolute difference of thumbnails in gray levels; such copies: 0.9; different digits: 6.6
MAX_SHARE = 0.05  # of the picture's own contrast (standard deviation), as flat pictures are alike without being copies
_SIDE = 32
_BLOCK = 4096


def perceptual_hashes(pictures: list[Pixels]) -> Pixels:
    """`(B, 8)` uint8: the 64-bit DCT hash of each picture `(C, H, W)`, which survives resizing and re-encoding.

    The same bits as imagehash's `phash` (hackerfactor.com/blog/index.php?/archives/432-Looks-Like-It.html), but a batch
    at once: which of the 8x8 lowest frequencies of a 32x32 gray thumbnail are above their median.
    """
    if not pictures:
        return np.empty((0, HASH_BYTES), np.uint8)
    thumbnails = np.stack([_thumbnail(picture) for picture in pictures]).astype(np.float64)
    frequency, place = np.arange(8)[:, None], np.arange(_SIDE)[None, :]
    basis = 2 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * _SIDE))  # DCT-II, (8, 32)
    low = (basis @ thumbnails @ basis.T).reshape(len(pictures), -1)
    return np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1)


def near_duplicate_groups(hashes: Pixels, samples: Pixels, rows: Rows, closeness: Closeness = "close") -> Rows:
    """`(M,)` group number of each of the `rows` of `samples` `(N, C, H, W)`; `hashes` is `(M, 8)`, row by row.

    Pictures linked by a chain of near-duplicate pairs are one group: `close` ones as above, `exact` ones that are the
    same to the last pixel of the store, with `off` none.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if closeness == "off":
        return np.arange(len(rows))
    confirmed = [_confirmed(samples, rows, pairs, closeness) for pairs in _candidates(hashes)]
    first, second = np.concatenate([np.empty((2, 0), np.int64), *confirmed], axis=1)
    links = coo_array((np.ones(len(first), np.bool_), (first, second)), shape=(len(rows), len(rows)))
    _, groups = connected_components(links, directed=False)
    return np.asarray(groups, np.int64)


def _thumbnail(picture: Pixels) -> Pixels:
    """`(32, 32)` gray."""
    plane: Pixels = picture[0]
    if picture.shape == (1, _SIDE, _SIDE):
        return plane
    from PIL import Image

    gray = Image.fromarray(plane if len(picture) == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0)))
    return np.asarray(gray.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))


def _candidates(hashes: Pixels) -> Iterator[Rows]:
    """Pairs `(2, P)`, P small, the lower position first, at most `MAX_DISTANCE` bits apart.

    The index keeps three tables by 21 bits each and looks one flip around: of two hashes that differ in at most five
    bits, some table's 21 differ in at most one, so no pair is missed.
    """
    import faiss

    index = faiss.IndexBinaryMultiHash(8 * HASH_BYTES, 3, 21)
    index.nflip = 1
    index.add(hashes)
    for start in range(0, len(hashes), _BLOCK):
        limits, _, found = index.range_search(hashes[start : start + _BLOCK], MAX_DISTANCE + 1)
        counts = (limits[1:] - limits[:-1]).astype(np.int64)
        asked = np.repeat(np.arange(start, start + len(counts)), counts)
        pairs = np.stack([asked, found])[:, asked < found]
        for part in range(0, pairs.shape[1], _BLOCK):
            yield pairs[:, part : part + _BLOCK]


def _confirmed(samples: Pixels, rows: Rows, pairs: Rows, closeness: Closeness) -> Rows:
    """Those of the pairs whose pictures are the same, or whose thumbnails nearly are."""
    members, places = np.unique(pairs, return_inverse=True)
    if closeness == "exact":
        pictures = np.stack([samples[row] for row in rows[members]])
        one, other = pictures[places.reshape(pairs.shape)]
        same: Rows = pairs[:, (one == other).all(axis=(1, 2, 3))]
        return same
    thumbnails = np.stack([_thumbnail(samples[row]) for row in rows[members]]).reshape(len(members), -1)
    first, second = thumbnails[places.reshape(pairs.shape)].astype(np.int16)
    difference = np.abs(first - second).mean(axis=1)
    alike: Rows = pairs[:, (difference <= MAX_DIFFERENCE) & (difference <= MAX_SHARE * first.std(axis=1))]
    return alike
