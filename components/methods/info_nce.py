"""InfoNCE over any set of negatives, with more weight on the hard ones where wanted.

van den Oord, Li & Vinyals 2018, https://arxiv.org/abs/1807.03748 (the loss); Robinson et al. 2021,
https://arxiv.org/abs/2010.04592 (hard negatives); Chuang et al. 2020, https://arxiv.org/abs/2007.00224 (debiasing).
"""

import math
from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from components.core.config import Config


class HardNegatives(Config):
    """beta: concentration on the negatives most similar to the query; tau_plus: the chance that one is of its class.

    Both 0: the plain loss. The paper tries beta 0.5 to 2 and tau_plus 0.01 to 0.1; 1 / classes is the honest guess.
    """

    beta: float = Field(default=0.0, ge=0)
    tau_plus: float = Field(default=0.0, ge=0, lt=1)


PLAIN = HardNegatives()


@dataclass(frozen=True)
class Negatives:
    """What M queries are compared with.

    vectors: `(N, D)`; allowed: `(M, N)`, true where one counts for a query, at least once in each row; count: how many
    the allowed ones stand for in each row, by default as many as they are.
    """

    vectors: Tensor
    allowed: Tensor
    count: int | None = None


def info_nce(
    queries: Tensor, positives: Tensor, negatives: Negatives, temperature: float, hard: HardNegatives = PLAIN
) -> Tensor:
    """Mean over queries of `-log(exp(p / T) / (exp(p / T) + G))`, `p` the cosine to the positive.

    queries, positives: `(M, D)`, of any length; temperature: at least 0.03 in float32.

    `G = n max((R - tau_plus exp(p / T)) / (1 - tau_plus), exp(-1 / T))` (Robinson et al., equations 3 and 4), where
    n is the negatives' count and `R` the mean of `exp(s / T)` over those allowed, with weights `exp(beta s / T)`;
    plain, `n R` is their sum.
    """
    rows = (queries, positives, negatives.vectors)
    with torch.autocast(queries.device.type, enabled=False):
        queries, positives, others = (F.normalize(vectors, dim=1) for vectors in rows)
        positive = ((queries * positives).sum(1) - 1) / temperature  # less 1 / T everywhere: exp cannot overflow
        similarity = (queries @ others.T - 1) / temperature
        weights = (hard.beta * similarity).masked_fill(~negatives.allowed, -math.inf).softmax(1)
        mean = (weights * similarity.exp()).sum(1)
        unbiased = (mean - hard.tau_plus * positive.exp()) / (1 - hard.tau_plus)
        count = negatives.count or negatives.allowed.sum(1)
        total = unbiased.clamp(min=math.exp(-2 / temperature)) * count
        return ((positive.exp() + total).log() - positive).mean()
