"""Asking where a model is in doubt: what the strategies share that differ in how they measure doubt alone."""

from abc import abstractmethod

import torch
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.methods.contracts import Floats, Pool, Positions, QueryStrategy
from components.methods.diverse_batch import diverse_batch


class UncertaintySampling(QueryStrategy):
    """Candidates drawn by their uncertainty, thinned for diversity."""

    needs_model = True

    class Config(BaseConfig):
        """oversampling: how many times the budget is shortlisted before thinning; power: the odds of getting on that
        list are the uncertainty to this power, null lists the most uncertain. 1 and null are uncertainty alone.
        """

        oversampling: int = Field(10, ge=1)
        power: float | None = Field(1.0, gt=0)

    def __init__(self, config: Config) -> None:
        self.config = config

    @abstractmethod
    def uncertainty(self, pool: Pool) -> Floats:
        """`(M,)` of the candidates, in 0..1."""

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates, the most uncertain first."""
        uncertainty, asked = self.uncertainty(pool), self.config
        return diverse_batch(
            pool, uncertainty, budget, oversampling=asked.oversampling, power=asked.power, generator=generator
        )
