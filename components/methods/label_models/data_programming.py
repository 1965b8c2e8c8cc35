"""Data programming: labeling rules that may abstain, weighed without truth (Ratner et al. 2016, 2019).

Sources: Ratner et al. 2016, https://arxiv.org/abs/1605.07723; Ratner et al. 2019, https://arxiv.org/abs/1810.02840.
"""

import numpy as np
import numpy.typing as npt
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.methods.label_models import Doubles, LabelModel, Votes, confusion_counts, improve, softmax


class DataProgramming(LabelModel):
    """What each rule does on items of each class, abstaining included, given that rules err independently.

    The classes' shares are learned with the rest. A rule that names one class only has seen every item, so its silence
    counts: it is what tells a class without votes from one whose rules are all wrong. Who names several classes is
    silent on items of any class alike, as a person is who was not asked, and silence says nothing.
    The parameters are those of Ratner et al. 2019, who fit them by gradient descent on the rules' correlations; with
    independent rules, expectation maximization climbs the likelihood itself, without a learning rate. The closed form
    of Fu et al. 2020 does not hold here: the product of two rules that name one class only is a constant.
    """

    class Config(BaseConfig):
        """items, accuracy: each rule starts as if it had been right that often on so many items, with its own share of
        votes; steps: at most; tolerance: change of a probability at which the fit ends.
        """

        items: float = Field(100.0, gt=0)
        accuracy: float = Field(0.7, gt=0, lt=1)
        steps: int = Field(500, ge=1)
        tolerance: float = Field(1e-6, gt=0)

    def __init__(self, config: Config) -> None:
        self.config = config

    def aggregate(self, votes: Votes) -> Doubles:
        """`(N, K)` posterior probabilities of the classes."""
        prior = self._prior(votes)
        return improve(votes.shares(), lambda now: _step(votes, now, prior), self.config.steps, self.config.tolerance)

    def trace(self, votes: Votes, rounds: int) -> list[float]:
        """What never falls, after each round: log-likelihood of votes and silences, plus log prior."""
        prior, now, values = self._prior(votes), votes.shares(), []
        for _ in range(rounds):
            now, value = _step(votes, now, prior)
            values.append(value)
        return values

    def _prior(self, votes: Votes) -> Doubles:
        """`(A, K, K + 1)` items never seen: of each class (rows), what the rule says, last that it abstains."""
        items, rules, classes = votes.shape
        cells = votes.annotators * classes + votes.classes
        said = np.bincount(cells, minlength=rules * classes).reshape(rules, 1, classes) / items
        error = (1 - self.config.accuracy) / max(classes - 1, 1)
        share = classes * said * np.where(np.eye(classes), self.config.accuracy, error)
        share *= np.minimum(1, 0.99 / np.maximum(share.sum(2, keepdims=True), 1e-12))
        table = np.concatenate([share, 1 - share.sum(2, keepdims=True)], axis=2)
        return self.config.items / classes * table + 1e-3


def _step(votes: Votes, distributions: Doubles, prior: Doubles) -> tuple[Doubles, float]:
    """Tables from `(N, K)` distributions, then distributions from these, and the objective of the tables."""
    items, _, classes = votes.shape
    counts = confusion_counts(votes, distributions)
    silent = np.maximum(distributions.sum(0) - counts.sum(2), 0)  # (A, K)
    several = _naming_several(votes)
    table = np.concatenate([counts, silent[:, :, None]], axis=2) + prior
    spoken_table = table[several, :, :classes]
    logs = np.log(table / table.sum(2, keepdims=True))
    logs[several, :, :classes] = np.log(spoken_table / spoken_table.sum(2, keepdims=True))
    logs[several, :, classes] = 0
    shares = distributions.sum(0) + 1
    shares /= shares.sum()
    scores = np.tile(np.log(shares) + logs[:, :, classes].sum(0), (items, 1))  # as if all were silent
    for actual in range(classes):
        spoken = logs[votes.annotators, actual, votes.classes] - logs[votes.annotators, actual, classes]
        scores[:, actual] += np.bincount(votes.items, spoken, minlength=items)
    posterior, totals = softmax(scores)
    return posterior, float(totals.sum() + (prior * logs).sum() + np.log(shares).sum())


def _naming_several(votes: Votes) -> npt.NDArray[np.bool_]:
    """`(A,)` whether a rule names more than one class."""
    _, rules, classes = votes.shape
    said = np.bincount(votes.annotators * classes + votes.classes, minlength=rules * classes)
    return np.asarray((said.reshape(rules, classes) > 0).sum(1) > 1)
