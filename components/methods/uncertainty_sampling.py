"""Asking where a model is in doubt: what the strategies share that differ in how they measure doubt alone."""

from abc import abstractmethod

import torch
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.methods.contracts import Floats, Pool, Positions, QueryStrategy
from components.methods.diverse_batch import diverse_batch


class UncertaintySampling(QueryStrategy):
    """The candidates of the highest uncertainty, thinned for diversity."""

    needs_model = True

    class Config(BaseConfig):
        """oversampling: how many times the budget is shortlisted before thinning; 1 is uncertainty alone."""

        oversampling: int = Field(10, ge=1)

    def __init__(self, config: Config) -> None:
        self.config = config

    @abstractmethod
    def uncertainty(self, pool: Pool) -> Floats:
        """`(M,)` of the candidates, in 0..1."""

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates, the most uncertain first."""
        return diverse_batch(pool, self.uncertainty(pool), budget, self.config.oversampling, generator)
