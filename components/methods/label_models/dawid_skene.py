"""Dawid-Skene: what each annotator takes each class for, and so how much a vote says (Dawid & Skene 1979).

Source: Dawid & Skene 1979, https://doi.org/10.2307/2346806; the smoothing is ours.
"""

import numpy as np
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.methods.label_models import Doubles, LabelModel, Votes, confusion_counts, improve, softmax


class DawidSkene(LabelModel):
    """A confusion matrix per annotator and the classes' shares, by expectation maximization from the majority vote.

    Votes on an item are independent given its class. Each row of a confusion matrix starts from a few votes that were
    never cast (a Dirichlet prior), most of them right: an annotator with few votes is believed like an average one.
    """

    class Config(BaseConfig):
        """right, wrong: votes never cast per class of each annotator, for it and for each other class; steps: at most;
        tolerance: change of a probability at which the fit ends.
        """

        right: float = Field(2.0, gt=0)
        wrong: float = Field(0.5, gt=0)
        steps: int = Field(500, ge=1)
        tolerance: float = Field(1e-6, gt=0)

    def __init__(self, config: Config) -> None:
        self.config = config

    def aggregate(self, votes: Votes) -> Doubles:
        """`(N, K)` posterior probabilities of the classes."""
        return improve(votes.shares(), lambda now: self._step(votes, now), self.config.steps, self.config.tolerance)

    def trace(self, votes: Votes, rounds: int) -> list[float]:
        """What never falls, after each round: log-likelihood of the votes, plus log prior."""
        now, values = votes.shares(), []
        for _ in range(rounds):
            now, value = self._step(votes, now)
            values.append(value)
        return values

    def _step(self, votes: Votes, distributions: Doubles) -> tuple[Doubles, float]:
        """Parameters from `(N, K)` distributions, then distributions from these, and the parameters' objective."""
        items, _, classes = votes.shape
        prior = np.where(np.eye(classes), self.config.right, self.config.wrong)
        counts = confusion_counts(votes, distributions) + prior
        logs = np.log(counts / counts.sum(2, keepdims=True))  # (A, K, K): what it is, what is said
        shares = distributions.sum(0) + 1
        shares /= shares.sum()
        scores = np.tile(np.log(shares), (items, 1))
        for actual in range(classes):
            said = logs[votes.annotators, actual, votes.classes]
            scores[:, actual] += np.bincount(votes.items, said, minlength=items)
        posterior, totals = softmax(scores)
        return posterior, float(totals.sum() + (prior * logs).sum() + np.log(shares).sum())
