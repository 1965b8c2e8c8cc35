"""Which training samples have a place of their own on the map: all of a few, a random draw of many."""

import numpy as np
import numpy.typing as npt

from components.core import seeds

MOST = 1200  # more samples hide each other


def on_map(count: int, seed: int) -> npt.NDArray[np.int64]:
    """Row numbers below `count`, ascending."""
    return np.sort(seeds.numpy_generator(seed, "map").permutation(count)[:MOST])
