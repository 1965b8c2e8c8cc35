"""Altered copies, such as cropped or mirrored ones: candidates by vectors of what a sample's copies may look like."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from components.datasets.sample_store import Store

if TYPE_CHECKING:
    import faiss

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
LIKE = 0.9  # cosine; photos cropped by 10 of 224 pixels: above .94
NEAREST, MOST = 4, 8  # for each thing that may have been done, and for each sample: candidates that are looked at
EXACT, PROBES = 10_000, 8  # samples up to which all are compared; cells of the index that are looked into beyond
_BLOCK, _PAIRS = 1024, 1024


class Kind(Protocol):
    """What is asked of a kind of data: see `components.modalities.Modality`."""

    def sketches(self, records: list[Array]) -> npt.NDArray[np.float32] | None: ...

    def altered(self, records: list[Array], pairs: Rows, versions: Rows) -> list[str]: ...


@dataclass(frozen=True)
class Altered:
    """Of P pairs `(2, P)`, positions: what was done to the first that made the second of it."""

    pairs: Rows
    how: list[str]


def altered_copies(kind: Kind, samples: Store, rows: Rows, groups: Rows) -> Altered:
    """Pairs of the `rows` of `samples`, which are in different `groups` `(M,)` so far, where one is made of the other.

    Each pair once, by the likeliest of what may have been done. Work grows with the number of samples, not of pairs.
    """
    pairs, how = [np.empty((2, 0), np.int64)], []
    for found, versions in _candidates(kind, samples, rows, groups):
        members, places = np.unique(found, return_inverse=True)
        records = [samples.record(row) for row in rows[members]]
        said = kind.altered(records, places.reshape(found.shape), versions)
        pairs.append(found[:, [bool(one) for one in said]])
        how += [one for one in said if one]
    together = np.concatenate(pairs, axis=1)
    _, first = np.unique(np.sort(together, axis=0), axis=1, return_index=True)
    return Altered(together[:, np.sort(first)], [how[place] for place in np.sort(first)])


def _candidates(kind: Kind, samples: Store, rows: Rows, groups: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Pairs `(2, P)` and which version `(P,)` of the first is like the second; P small."""
    own = [sketches[:, 0] for sketches in _sketched(kind, samples, rows)]
    if not own:
        return
    index = _index(np.concatenate(own))
    for block, sketches in enumerate(_sketched(kind, samples, rows)):
        versions = sketches.shape[1] - 1
        near, found = index.search(sketches[:, 1:].reshape(-1, sketches.shape[2]), min(NEAREST, len(rows)))
        asked = np.arange(len(near))[:, None].repeat(near.shape[1], 1)
        first, version = block * _BLOCK + asked // versions, asked % versions + 1
        likely = (near >= LIKE) & (groups[first] != groups[found])
        first, found, version, near = first[likely], found[likely], version[likely], near[likely]
        order = np.argsort(-near, kind="stable")
        keys = np.stack([first, found, version % 2])[:, order]  # of a mirrored and of an upright version the likeliest
        _, once = np.unique(keys, axis=1, return_index=True)
        chosen = order[np.sort(once)]  # the likeliest first
        chosen = chosen[pd.Series(first[chosen]).groupby(first[chosen]).cumcount().to_numpy() < MOST]
        for start in range(0, len(chosen), _PAIRS):
            part = chosen[start : start + _PAIRS]
            yield np.stack([first[part], found[part]]), version[part]


def _sketched(kind: Kind, samples: Store, rows: Rows) -> Iterator[npt.NDArray[np.float32]]:
    """`(B, V, D)` of a block of samples after the other; nothing for a kind that has none."""
    for start in range(0, len(rows), _BLOCK):
        sketches = kind.sketches([samples.record(row) for row in rows[start : start + _BLOCK]])
        if sketches is None:
            return
        yield sketches


def _index(vectors: npt.NDArray[np.float32]) -> "faiss.Index":
    import faiss

    count, size = vectors.shape
    flat = faiss.IndexFlatIP(size)
    if count <= EXACT:
        flat.add(vectors)
        return flat
    cells = faiss.IndexIVFFlat(flat, size, int(count**0.5), faiss.METRIC_INNER_PRODUCT)
    cells.train(vectors)
    cells.add(vectors)
    cells.nprobe = PROBES
    return cells
