"""Margin: ask where the model's two best guesses are closest, one question per neighborhood (Scheffer et al. 2001)."""

import numpy as np

from components.methods.contracts import Floats, Pool
from components.methods.uncertainty_sampling import UncertaintySampling


class Margin(UncertaintySampling):
    """The smallest difference between the two highest class probabilities, thinned for diversity."""

    why = (
        "The two best guesses are {guess} ({confidence:.0%}) and {runner_up} ({runner_up_confidence:.0%}): "
        "the closer, the likelier the model asks."
    )

    def uncertainty(self, pool: Pool) -> Floats:
        """1 minus the margin."""
        assert pool.probabilities is not None
        return 1 - margin(pool.probabilities[pool.candidates])


def margin(probabilities: Floats) -> Floats:
    """`(M,)` highest minus second highest of each row of `(M, K)`, in 0..1.

    Source: Scheffer, Decomain & Wrobel 2001, https://doi.org/10.1007/3-540-44816-0_31
    """
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities), np.float32)
    top = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(top[:, 1] - top[:, 0], np.float32)
