"""Several annotators' votes into one class distribution per item."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from components.core.config import Config

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Votes:
    """`V` votes: items, annotators, classes `(V,)` each, numbers below `N`, `A` and `K`, which are `shape`.

    An annotator is a person or a rule; who did not vote on an item, or abstained, has no row for it.
    """

    items: Integers
    annotators: Integers
    classes: Integers
    shape: tuple[int, int, int]

    def counts(self) -> Doubles:
        """`(N, K)` votes of each class."""
        items, _, classes = self.shape
        counted = np.bincount(self.items * classes + self.classes, minlength=items * classes)
        return np.asarray(counted.reshape(items, classes), np.float64)

    def shares(self) -> Doubles:
        """`(N, K)` of an item's votes; uniform where nobody voted."""
        counts = self.counts()
        totals = counts.sum(1, keepdims=True)
        uniform = np.full_like(counts, 1 / self.shape[2])
        return np.asarray(np.divide(counts, totals, out=uniform, where=totals > 0))

    def part(self, chosen: npt.NDArray[np.bool_]) -> "Votes":
        """Those of the votes `(V,)` that are chosen; items and annotators keep their numbers."""
        return Votes(self.items[chosen], self.annotators[chosen], self.classes[chosen], self.shape)

    def shared(self) -> npt.NDArray[np.bool_]:
        """`(V,)` whether another annotator voted on the same item."""
        pairs = np.unique(self.items * self.shape[1] + self.annotators)
        voters = np.bincount(pairs // max(self.shape[1], 1), minlength=self.shape[0])
        return np.asarray(voters[self.items] > 1)

    def comparable(self) -> npt.NDArray[np.bool_]:
        """`(V,)` whether the vote's annotator shares an item with another one, so that both can be judged."""
        judged = np.zeros(self.shape[1], bool)
        judged[self.annotators[self.shared()]] = True
        return judged[self.annotators]


class LabelModel(ABC):
    """Weighs votes by how good the annotators seem, without any truth. Constructed as `Model(config)`."""

    Config: ClassVar[type[Config]]

    def fit(self, votes: Votes) -> Doubles:
        """`(N, K)` class distributions, rows sum to 1.

        Nothing can be known of an annotator who shares no item with another: those votes are taken as they stand, so
        with one annotator per item every model gives what majority vote does. A class nobody votes for gets nothing.
        """
        distributions, comparable = votes.shares(), votes.comparable()
        if comparable.any():
            judged = votes.part(comparable)
            rows, items = np.unique(judged.items, return_inverse=True)
            who, annotators = np.unique(judged.annotators, return_inverse=True)
            seen, classes = np.unique(judged.classes, return_inverse=True)
            shape = (len(rows), len(who), len(seen))
            distributions[rows] = 0
            distributions[np.ix_(rows, seen)] = self.aggregate(Votes(items, annotators, classes, shape))
        return distributions

    @abstractmethod
    def aggregate(self, votes: Votes) -> Doubles:
        """`(N, K)` as `fit` gives them; every item, annotator and class of `votes` has one, and all can be judged."""


def accuracies(votes: Votes, distributions: Doubles) -> Doubles:
    """`(A,)` share of each annotator's votes expected to be right, given `(N, K)` distributions; nan without votes."""
    right = distributions[votes.items, votes.classes]
    sums, counts = (np.bincount(votes.annotators, part, minlength=votes.shape[1]) for part in (right, None))
    return np.asarray(np.divide(sums, counts, out=np.full(votes.shape[1], np.nan), where=counts > 0))


def softmax(scores: Doubles) -> tuple[Doubles, Doubles]:
    """Rows of `(N, K)` log masses as distributions `(N, K)`, and the logarithm of each row's total `(N,)`."""
    top = scores.max(1, keepdims=True)
    masses = np.exp(scores - top)
    totals = masses.sum(1, keepdims=True)
    return masses / totals, (top + np.log(totals))[:, 0]


def confusion_counts(votes: Votes, distributions: Doubles) -> Doubles:
    """`(A, K, K)` expected votes of each annotator on items of each class (rows), by what was said (columns)."""
    _, annotators, classes = votes.shape
    cells = votes.annotators * classes + votes.classes
    by_class = [
        np.bincount(cells, distributions[votes.items, actual], minlength=annotators * classes)
        for actual in range(classes)
    ]
    counts = np.asarray(np.stack(by_class), np.float64).reshape(classes, annotators, classes)
    return counts.transpose(1, 0, 2)


def improve(start: Doubles, step: Callable[[Doubles], tuple[Doubles, float]], steps: int, tolerance: float) -> Doubles:
    """`(N, K)` distributions after at most `steps` steps of expectation maximization, or once none moves more."""
    for _ in range(steps):
        following, _ = step(start)
        if np.abs(following - start).max() < tolerance:
            return following
        start = following
    return start
