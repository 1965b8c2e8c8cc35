"""Beside an answer, the set of classes that cannot be ruled out: conformal prediction with a stated coverage.

Split conformal prediction: Vovk, Gammerman & Shafer 2005, https://doi.org/10.1007/b106715. Scores: least ambiguous
sets (LAC), Sadinle, Lei & Wasserman 2019, https://arxiv.org/abs/1609.00451; adaptive sets (APS), Romano, Sesia &
Candes 2020, https://arxiv.org/abs/2006.02544; regularized (RAPS), Angelopoulos et al. 2021,
https://arxiv.org/abs/2009.14193.

What holds: where labels are drawn like the pictures to come and scored by the model that answers, a set holds the
right class with at least the stated probability. Here labels take turns at being held out, so others, the folds'
models, score them. Asking all of these about each picture (CV+, cross-conformal prediction) would leave the right
class out at most about twice as often as stated, and usually no more than stated (Barber et al. 2021,
https://arxiv.org/abs/1905.02928; Vovk 2015, https://arxiv.org/abs/1208.0806). We ask the one model that learned from
all labels: nothing is guaranteed then, though a model no worse than the folds' keeps the stated share in practice. Nor
are labels that a query strategy picked drawn like the pictures to come. So `evaluate` prints the measured coverage
beside the stated one.

Two things broke the word with few labels and are mended here. A set with no class in it is always wrong, and where the
model is right more often than stated the threshold makes such sets: so the likeliest class is in every set. And a class
with a single label cannot be held out: its samples, the hardest, were missing among the scores. Such a label would
have been scored by a model that knows nothing of its class, so it counts as a score above all others, as in CV+; where
so many are missing that no threshold is left, a class that no held-out label speaks for is in every set.
"""

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from components.core.config import Config

Probabilities = npt.NDArray[np.floating[Any]]  # (N, K), rows sum to 1
Doubles = npt.NDArray[np.float64]


class SetSettings(Config):
    """coverage: share of pictures whose class is to be in their set; score: what a class is ruled out by.

    `lac`: 1 - its probability; the smallest sets on average. `aps`: the sum of the probabilities of all likelier
    classes. The likeliest class is in every set, so they hold the right one more often than stated where the model
    alone does. penalty: added to `aps` for each rank beyond the `free` first (RAPS), which keeps sets small among many
    classes. unlabeled: scores of unlabeled samples join those of the labels (see `matched`), which steadies the
    threshold of a model that is right on most; where it is not, sets hold the right class less often than stated.
    """

    coverage: float = Field(default=0.9, gt=0, lt=1)
    score: Literal["lac", "aps"] = "lac"
    penalty: float = Field(default=0.0, ge=0)
    free: int = Field(default=1, ge=0)
    unlabeled: bool = False

    def unused(self) -> dict[str, str]:
        """As the base says."""
        if self.score == "lac":
            return dict.fromkeys(("penalty", "free"), "score is lac, which goes by no ranks")
        return {} if self.penalty else {"free": "penalty is 0"}


class PredictionSets(SetSettings):
    """What a classifier keeps. highest: score up to which a class is in the set; labels: that it was found with.

    highest is None where there are too few labels for the coverage: no class can be ruled out. always: numbers of the
    classes that are in every set, as too many labels could not be held out and none of these classes was.
    """

    highest: float | None = None
    labels: int = Field(default=0, ge=0)
    always: list[int] = Field(default=[])


def calibrate(
    probabilities: Probabilities,
    actual: npt.NDArray[np.int64],
    settings: SetSettings,
    *,
    never: int = 0,
    unlabeled: Probabilities | None = None,
) -> PredictionSets:
    """Sets for models that give `(L, K)` probabilities of labels they did not learn from, the classes `actual` `(L,)`.

    The threshold is the ceil((L + never + 1) coverage)-th smallest score of an actual class; there is none below
    coverage / (1 - coverage) labels. never: how many labels could not be held out, as none else is of their class;
    where these are what is missing for a threshold, it is found without them, and classes that no label here is of
    are in every set. unlabeled: `(U, K)` probabilities of samples like those to come, by the model that answers; asked
    for where the settings say so.
    """
    count, rows = len(actual), np.arange(len(actual))
    every = _scores(probabilities, settings)
    scores = np.sort(every[rows, actual])
    rank, always = _rank(count + never, settings.coverage), []
    if rank > count >= _rank(count, settings.coverage):
        rank, always = _rank(count, settings.coverage), sorted({*range(probabilities.shape[1])} - {*actual.tolist()})
    highest = float(scores[rank - 1]) if rank <= count else None
    if settings.unlabeled and unlabeled is not None and highest is not None:
        guessed = every[rows, probabilities.argmax(axis=1)]
        pool = _scores(unlabeled, settings)[np.arange(len(unlabeled)), unlabeled.argmax(axis=1)]
        joined = np.sort(np.concatenate([scores, matched(guessed, every[rows, actual], pool)]))
        highest = float(joined[min(_rank(len(joined), settings.coverage), len(joined)) - 1])
    return PredictionSets(**settings.model_dump(), highest=highest, labels=count, always=always)


def matched(guessed: Doubles, actual: Doubles, pool: Doubles) -> Doubles:
    """`(U,)`: what unlabeled samples would score by their actual class, SemiCP's nearest neighbor matching.

    guessed, actual: `(L,)` scores of labels by their likeliest and by their actual class; pool: `(U,)` of unlabeled
    samples by their likeliest. Each is moved by how far the two lie apart for the label whose `guessed` is nearest to
    it; of equally near ones the lower. So a label that was wrong speaks for all that are as unsure as it was.
    Source: Zhou et al. 2025, https://arxiv.org/abs/2505.21147
    """
    order = np.argsort(guessed, kind="stable")
    known, apart = guessed[order], (actual - guessed)[order]
    above = np.clip(np.searchsorted(known, pool), 0, len(known) - 1)
    below = np.maximum(above - 1, 0)
    nearest = np.where(np.abs(pool - known[below]) <= np.abs(known[above] - pool), below, above)
    return np.asarray(pool + apart[nearest])


def members(probabilities: Probabilities, sets: PredictionSets) -> npt.NDArray[np.bool_]:
    """`(N, K)`: which classes are in the set of each of `(N, K)` probabilities, the likeliest always.

    A set of one class is an answer; one of several is an abstention.
    """
    if sets.highest is None:
        return np.ones(probabilities.shape, bool)
    inside = np.asarray(_scores(probabilities, sets) <= sets.highest)
    inside[np.arange(len(inside)), probabilities.argmax(axis=1)] = True
    inside[:, sets.always] = True
    return inside


def _rank(count: int, coverage: float) -> int:
    """Which of so many scores, sorted, is the threshold; above their number where there is none."""
    return math.ceil(round((count + 1) * coverage, 9))  # 0.9 and the like are not exact


def _scores(probabilities: Probabilities, settings: SetSettings) -> Doubles:
    """`(N, K)`; the higher, the less a class fits."""
    exact = probabilities.astype(np.float64)
    if settings.score == "lac":
        return np.asarray(1 - exact)
    order = np.argsort(-exact, axis=1, kind="stable")
    ordered = np.take_along_axis(exact, order, axis=1)
    likelier = np.cumsum(ordered, axis=1) - ordered
    likelier += settings.penalty * np.maximum(np.arange(1, exact.shape[1] + 1) - settings.free, 0)
    scores = np.empty_like(exact)
    np.put_along_axis(scores, order, likelier, axis=1)
    return scores
