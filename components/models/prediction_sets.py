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

    `lac`: 1 - its probability; the smallest sets on average. Where no class is probable enough a set is empty, which
    must happen where the model is right more often than `coverage`: then a higher one says more. `aps`: the sum of the
    probabilities of all likelier classes, so that the likeliest is in every set; nothing is drawn by chance, so they
    hold the right one more often than stated where the model alone does. penalty: added to `aps` for each rank beyond
    the `free` first (RAPS), which keeps sets small among many classes.
    """

    coverage: float = Field(default=0.9, gt=0, lt=1)
    score: Literal["lac", "aps"] = "lac"
    penalty: float = Field(default=0.0, ge=0)
    free: int = Field(default=1, ge=0)

    def unused(self) -> dict[str, str]:
        """As the base says."""
        if self.score == "lac":
            return dict.fromkeys(("penalty", "free"), "score is lac, which goes by no ranks")
        return {} if self.penalty else {"free": "penalty is 0"}


class PredictionSets(SetSettings):
    """What a classifier keeps. highest: score up to which a class is in the set; labels: that it was found with.

    highest is None where there are too few labels for the coverage: no class can be ruled out.
    """

    highest: float | None = None
    labels: int = Field(default=0, ge=0)


def calibrate(probabilities: Probabilities, actual: npt.NDArray[np.int64], settings: SetSettings) -> PredictionSets:
    """Sets for models that give `(L, K)` probabilities of labels they did not learn from, the classes `actual` `(L,)`.

    The threshold is the ceil((L + 1) coverage)-th smallest score of an actual class; there is none below
    coverage / (1 - coverage) labels.
    """
    count = len(actual)
    rank = math.ceil(round((count + 1) * settings.coverage, 9))  # 0.9 and the like are not exact
    scores = np.sort(_scores(probabilities, settings)[np.arange(count), actual])
    highest = float(scores[rank - 1]) if rank <= count else None
    return PredictionSets(**settings.model_dump(), highest=highest, labels=count)


def members(probabilities: Probabilities, sets: PredictionSets) -> npt.NDArray[np.bool_]:
    """`(N, K)`: which classes are in the set of each of `(N, K)` probabilities.

    A set of one class is an answer; one of several, or of none, is an abstention.
    """
    if sets.highest is None:
        return np.ones(probabilities.shape, bool)
    return np.asarray(_scores(probabilities, sets) <= sets.highest)


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
