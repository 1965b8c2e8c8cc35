"""Entropy: ask where the model's guess is spread over many classes, one question per neighborhood (Shannon 1948)."""

import numpy as np
import torch
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.methods.contracts import Floats, Pool, Positions, QueryStrategy
from components.methods.diverse_batch import diverse_batch


class Entropy(QueryStrategy):
    """The highest entropy of the class probabilities, thinned for diversity."""

    needs_model = True
    why = "The model spreads its guess over many classes: even the likeliest, {guess}, gets only {confidence:.0%}."

    class Config(BaseConfig):
        """oversampling: how many times the budget is shortlisted before thinning; 1 is entropy alone."""

        oversampling: int = Field(10, ge=1)

    def __init__(self, config: Config) -> None:
        self.config = config

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates, the highest entropy first."""
        assert pool.probabilities is not None
        return diverse_batch(
            pool, entropy(pool.probabilities[pool.candidates]), budget, self.config.oversampling, generator
        )


def entropy(probabilities: Floats) -> Floats:
    """`(M,)` entropy of each row of `(M, K)`, divided by its greatest possible value log K: in 0..1.

    Source: Shannon 1948; as a query strategy Settles 2009, https://minds.wisconsin.edu/handle/1793/60660
    """
    terms = probabilities * np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    return np.asarray(-terms.sum(1) / np.log(max(probabilities.shape[1], 2)), np.float32)
