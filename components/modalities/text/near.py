"""Near-duplicate texts: SimHash of words and of pairs of them, confirmed by how many pairs two texts share.

Charikar 2002, https://doi.org/10.1145/509907.509965; Manku, Jain & Das Sarma 2007, https://doi.org/10.1145/1242572.1242592;
shingles and their Jaccard similarity: Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900
"""

import hashlib
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from components.modalities.text.words import words

Array = npt.NDArray[Any]
Hashes = npt.NDArray[np.uint64]
ALIKE = 0.8  # of the pairs of neighboring words of two texts
_TURN = np.uint64(0x9E3779B97F4A7C15)


def fingerprints(records: list[Array]) -> npt.NDArray[np.uint8]:
    """`(M, 8)` uint8: 64 bits, each the majority of that bit over the hashes of a text's words and pairs of words."""
    prints = np.zeros((len(records), 8), np.uint8)
    for row, record in zip(prints, records, strict=True):
        single, pairs = _features(record)
        bits = np.unpackbits(np.concatenate([single, pairs])[:, None].view(np.uint8), axis=1)
        row[:] = np.packbits(2 * bits.sum(0, dtype=np.int64) > len(bits))
    return prints


def alike(records: list[Array], pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """`(P,)`: which `pairs` `(2, P)` share `ALIKE` of their words' pairs (Jaccard); of one word, which are the same."""
    shingles = [set((pairs if len(pairs) else single).tolist()) for single, pairs in map(_features, records)]
    return np.array([jaccard(shingles[one], shingles[other]) >= ALIKE for one, other in pairs.T], np.bool_)


def jaccard(one: set[int], other: set[int]) -> float:
    """What two sets share, as a part of what is in either; 1 for two empty ones."""
    return len(one & other) / len(one | other) if one or other else 1.0


def _features(record: Array) -> tuple[Hashes, Hashes]:
    """Hashes of the words, and of each two neighboring ones."""
    text = bytes(record).decode("utf-8", "replace").lower()
    single = np.array([_hash(word) for word in words(text)], np.uint64)
    with np.errstate(over="ignore"):
        mixed = (single[:-1] * _TURN) ^ (single[1:] + _TURN)
        mixed = (mixed ^ (mixed >> np.uint64(31))) * _TURN
    return single, mixed ^ (mixed >> np.uint64(29))


@lru_cache(maxsize=2**17)
def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "little")
