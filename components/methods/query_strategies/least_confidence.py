"""Least confidence: ask where even the model's best guess is improbable (Lewis & Gale 1994)."""

import numpy as np
import torch
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.methods.contracts import Floats, Pool, Positions, QueryStrategy
from components.methods.diverse_batch import diverse_batch


class LeastConfidence(QueryStrategy):
    """The lowest probability of the likeliest class, thinned for diversity."""

    needs_model = True
    why = "The model is unsure of its best guess: it gives {guess} no more than {confidence:.0%}."

    class Config(BaseConfig):
        """oversampling: how many times the budget is shortlisted before thinning; 1 is least confidence alone."""

        oversampling: int = Field(10, ge=1)

    def __init__(self, config: Config) -> None:
        self.config = config

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates, the least confident first."""
        assert pool.probabilities is not None
        uncertainty = 1 - confidence(pool.probabilities[pool.candidates])
        return diverse_batch(pool, uncertainty, budget, self.config.oversampling, generator)


def confidence(probabilities: Floats) -> Floats:
    """`(M,)` probability of the likeliest class of each row of `(M, K)`, in 1/K..1.

    Source: Lewis & Gale 1994, https://arxiv.org/abs/cmp-lg/9407020
    """
    return np.asarray(probabilities.max(1), np.float32)
