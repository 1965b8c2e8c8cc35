"""Margin: ask where the model's two best guesses are closest, one question per neighborhood (Scheffer et al. 2001)."""

import numpy as np
import torch
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.methods.contracts import Floats, Pool, Positions, QueryStrategy
from components.methods.diverse_batch import diverse_batch


class Margin(QueryStrategy):
    """The smallest difference between the two highest class probabilities, thinned for diversity."""

    needs_model = True
    why = "The model wavers between {guess} ({confidence:.0%}) and {runner_up} ({runner_up_confidence:.0%})."

    class Config(BaseConfig):
        """oversampling: how many times the budget is shortlisted before thinning; 1 is margin alone."""

        oversampling: int = Field(10, ge=1)

    def __init__(self, config: Config) -> None:
        self.config = config

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates, the smallest margin first."""
        assert pool.probabilities is not None
        uncertainty = 1 - margin(pool.probabilities[pool.candidates])
        return diverse_batch(pool, uncertainty, budget, self.config.oversampling, generator)


def margin(probabilities: Floats) -> Floats:
    """`(M,)` highest minus second highest of each row of `(M, K)`, in 0..1.

    Source: Scheffer, Decomain & Wrobel 2001, https://doi.org/10.1007/3-540-44816-0_31
    """
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities), np.float32)
    top = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(top[:, 1] - top[:, 0], np.float32)
