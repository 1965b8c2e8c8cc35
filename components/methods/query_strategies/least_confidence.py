"""Least confidence: ask where even the model's best guess is improbable (Lewis & Gale 1994)."""

import numpy as np

from components.methods.contracts import Floats, Pool
from components.methods.uncertainty_sampling import UncertaintySampling


class LeastConfidence(UncertaintySampling):
    """The lowest probability of the likeliest class, thinned for diversity."""

    why = "The model gives its best guess, {guess}, {confidence:.0%}: the less that is, the likelier it asks."

    def uncertainty(self, pool: Pool) -> Floats:
        """1 minus the confidence."""
        assert pool.probabilities is not None
        return 1 - confidence(pool.probabilities[pool.candidates])


def confidence(probabilities: Floats) -> Floats:
    """`(M,)` probability of the likeliest class of each row of `(M, K)`, in 1/K..1.

    Source: Lewis & Gale 1994, https://arxiv.org/abs/cmp-lg/9407020
    """
    return np.asarray(probabilities.max(1), np.float32)
