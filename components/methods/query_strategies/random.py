"""Random queries: what every other strategy has to beat."""

import numpy as np
import torch

from components.core.config import Config as BaseConfig
from components.methods.contracts import Pool, Positions, QueryStrategy


class Random(QueryStrategy):
    """Every candidate is as likely as any other."""

    why = "Drawn at random: every unlabeled sample was as likely."

    class Config(BaseConfig):
        """Nothing to set."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates, drawn without replacement."""
        order = torch.randperm(len(pool.candidates), generator=generator).numpy()
        return np.asarray(pool.candidates[order[:budget]], np.int64)
