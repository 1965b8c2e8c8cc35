"""Near-duplicates: candidates by 64-bit fingerprints through a binary index, confirmed on the records."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from components.datasets.sample_store import Store

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]
Alike = Callable[[list[Array], Rows], npt.NDArray[np.bool_]]
Closeness = Literal["off", "exact", "close"]
HASH_BYTES = 8
MAX_DISTANCE = 4  # differing bits of 64; pictures resized to half or saved at quality 50 differ in 0 to 4
_BLOCK = 4096


def near_duplicate_groups(
    fingerprints: Pixels | None, samples: Store, rows: Rows, alike: Alike, closeness: Closeness = "close"
) -> Rows:
    """`(M,)` group number of each of the `rows` of `samples`; fingerprints: `(M, 8)`, row by row, None: no groups.

    Samples linked by a chain of near-duplicate pairs are one group: `close` ones that are `alike`, `exact` ones whose
    records are the same, with `off` none.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if closeness == "off" or fingerprints is None:
        return np.arange(len(rows))
    if closeness == "exact":
        alike = same
    confirmed = [_confirmed(samples, rows, pairs, alike) for pairs in _candidates(fingerprints)]
    first, second = np.concatenate([np.empty((2, 0), np.int64), *confirmed], axis=1)
    links = coo_array((np.ones(len(first), np.bool_), (first, second)), shape=(len(rows), len(rows)))
    _, groups = connected_components(links, directed=False)
    return np.asarray(groups, np.int64)


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


def same(records: list[Array], pairs: Rows) -> npt.NDArray[np.bool_]:
    """`(P,)`: which `pairs` `(2, P)` of the records are equal."""
    return np.array([np.array_equal(records[one], records[other]) for one, other in pairs.T], np.bool_)


def _confirmed(samples: Store, rows: Rows, pairs: Rows, alike: Alike) -> Rows:
    """Those of the pairs whose records are alike."""
    members, places = np.unique(pairs, return_inverse=True)
    records = [samples.record(row) for row in rows[members]]
    found: Rows = pairs[:, alike(records, places.reshape(pairs.shape))]
    return found
