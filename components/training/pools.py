"""The order of an epoch in which samples of like length meet in a batch, so that little of it is padding."""

import numpy as np
import numpy.typing as npt

from components.core.seeds import numpy_generator
from components.datasets.sample_store import Store
from components.training.corpus import Corpus

Rows = npt.NDArray[np.int64]
BATCHES = 50  # of a pool: samples are sorted by length among so many batches' worth


def in_pools(order: Rows, lengths: Rows, batch: int, seed: int, epoch: int) -> Rows:
    """`order`, a permutation of the samples that `lengths` `(N,)` are of, so that a batch's are of like length.

    Pools of `BATCHES` batches are cut from it and sorted by length each; the batches of all pools then come in an order
    drawn by seed and epoch. What is left over after whole batches stays last, as it was.
    """
    whole = len(order) // batch * batch
    sorted_pools = [
        pool[np.argsort(lengths[pool], kind="stable")]
        for pool in (order[start : min(start + BATCHES * batch, whole)] for start in range(0, whole, BATCHES * batch))
    ]
    batches = np.concatenate([order[:0], *sorted_pools]).reshape(-1, batch)
    mixed = numpy_generator(seed, "pools", epoch).permutation(len(batches))
    return np.concatenate([batches[mixed].reshape(-1), order[whole:]])


def lengths_of(data: Corpus) -> Rows | None:
    """`(M,)` of the corpus' records as they are stored; None where all are of one shape, or nobody knows."""
    starts = data.samples.starts if isinstance(data.samples, Store) else None
    return None if starts is None else np.diff(starts)[data.rows]
