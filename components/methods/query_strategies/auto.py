"""Auto: typical samples while labels are few, doubtful ones once there are enough (Hacohen et al. 2022, section 3)."""

import torch
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.methods.contracts import Pool, Positions, QueryStrategy
from components.methods.query_strategies.margin import Margin
from components.methods.query_strategies.typiclust import Typiclust


class Auto(QueryStrategy):
    """TypiClust below so many labels per class, margin from there on; without a model, TypiClust.

    Source: Hacohen, Dekel & Weinshall 2022, https://arxiv.org/abs/2202.02794: with few labels typical samples teach
    most, with many the uncertain ones.
    """

    why = "It is typical where labels are few, and doubtful where there are enough."

    class Config(BaseConfig):
        """labels_per_class: from how many labels, divided by the number of classes, the model's doubts are asked about.

        The paper gives no number; see docs/log.md for what this one was measured on.
        """

        labels_per_class: float = Field(2, ge=0)

    def __init__(self, config: Config) -> None:
        self.config = config

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates, in the order of the strategy that is chosen."""
        return self.settle(pool)[0].query(pool, budget, generator)

    def settle(self, pool: Pool) -> tuple[QueryStrategy, str]:
        """TypiClust or margin, and why."""
        if pool.probabilities is None:
            return _typical(), "auto asks by typiclust, for there is no model yet."
        labels, classes = len(pool.labeled), pool.probabilities.shape[1]
        few = labels < self.config.labels_per_class * classes
        strategy = _typical() if few else Margin(Margin.Config.model_validate({}))
        said = f"{labels} labels of {classes} classes are {'fewer than' if few else 'at least'}"
        name = "typiclust" if few else "margin"
        return strategy, f"auto asks by {name}, for {said} {self.config.labels_per_class:g} a class."


def _typical() -> Typiclust:
    return Typiclust(Typiclust.Config.model_validate({}))
