"""Entropy: ask where the model's guess is spread over many classes, one question per neighborhood (Shannon 1948)."""

import numpy as np

from components.methods.contracts import Floats, Pool
from components.methods.uncertainty_sampling import UncertaintySampling


class Entropy(UncertaintySampling):
    """The highest entropy of the class probabilities, thinned for diversity."""

    why = "The model gives {guess} {confidence:.0%}: the wider it spreads the rest, the likelier it asks."

    def uncertainty(self, pool: Pool) -> Floats:
        """The entropy."""
        assert pool.probabilities is not None
        return entropy(pool.probabilities[pool.candidates])


def entropy(probabilities: Floats) -> Floats:
    """`(M,)` entropy of each row of `(M, K)`, divided by its greatest possible value log K: in 0..1.

    Source: Shannon 1948; as a query strategy Settles 2009, https://minds.wisconsin.edu/handle/1793/60660
    """
    terms = probabilities * np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    return np.asarray(-terms.sum(1) / np.log(max(probabilities.shape[1], 2)), np.float32)
