"""Uncertainty Herding: what covers most of the model's doubts that no label is close to (Bae et al. 2025)."""

from heapq import heapify, heappop, heapreplace
from math import sqrt

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from components.core.config import Config as BaseConfig
from components.methods.clusters import TILE, nearest, unit
from components.methods.contracts import Pool, Positions, QueryStrategy
from components.methods.query_strategies.margin import margin

LEAST_RADIUS = 0.02  # below it, rounding in products near 1 is no longer small beside squared distances
LEAST_DOUBT = 1e-6  # where the model doubts nothing, coverage alone decides


class UncertaintyHerding(QueryStrategy):
    """Greedy maximum of the doubts, each times how close a Gaussian kernel finds the nearest labeled or asked sample.

    The doubt is 1 minus the margin of the model's probabilities, which come calibrated; without a model every sample
    counts the same, which is MaxHerding (https://arxiv.org/abs/2407.12212). The kernel's radius is the least distance
    between two labeled samples, so that with many labels doubt decides.
    Source: Bae, Oliveira & Sutherland 2025, equation 2 and algorithm 1, https://arxiv.org/abs/2412.20644
    """

    why = "Around it lie the most samples that the model doubts and no label is close to."

    class Config(BaseConfig):
        """radius: of the kernel while fewer than two samples are labeled, of unit vectors, the paper's; sample: on how
        many candidates, drawn at random, coverage is measured where there are more.
        """

        radius: float = Field(1.0, ge=LEAST_RADIUS)
        sample: int = Field(20_000, ge=1)

    def __init__(self, config: Config) -> None:
        self.config = config

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates, the one that covers most first."""
        points, labeled = unit(pool.vectors, pool.candidates), unit(pool.vectors, pool.labeled)
        some = torch.randperm(len(points), generator=generator)[: self.config.sample].sort().values
        radius = least_distance(labeled) if len(labeled) > 1 else self.config.radius
        covered = torch.zeros(len(some))
        if len(labeled) and len(some):
            covered = _kernel(nearest(points[some], labeled)[0], radius)
        chosen = _greedy(points, points[some], _doubts(pool)[some], covered, radius, min(budget, len(points)))
        return pool.candidates[chosen]


def least_distance(points: Tensor) -> float:
    """Between any two of `(L, D)` unit vectors, L at least 2; never below `LEAST_RADIUS`."""
    closest = -1.0
    for rows in torch.split(torch.arange(len(points)), max(1, TILE // len(points))):
        products = points[rows] @ points.T
        products[torch.arange(len(rows)), rows] = -1
        closest = max(closest, float(products.max()))
    return max(sqrt(max(2 - 2 * closest, 0.0)), LEAST_RADIUS)


def _kernel(products: Tensor, radius: float) -> Tensor:
    """`exp(-d^2 / radius^2)` of unit vectors with these products, in place."""
    return products.mul_(2).sub_(2).div_(radius**2).clamp_max_(0).exp_()


def _doubts(pool: Pool) -> Tensor:
    """`(M,)` of the candidates, in 0..1."""
    if pool.probabilities is None:
        return torch.ones(len(pool.candidates))
    return torch.from_numpy(1 - margin(pool.probabilities[pool.candidates])).clamp_min(LEAST_DOUBT)


def _gains(points: Tensor, crowd: Tensor, doubts: Tensor, covered: Tensor, radius: float) -> Tensor:
    """`(P,)` by how much each of the points would raise the crowd's doubts times closeness, `(C,)` so far `covered`."""
    return (_kernel(points @ crowd.T, radius) - covered).clamp_min_(0).double() @ doubts.double()


def _greedy(points: Tensor, crowd: Tensor, doubts: Tensor, covered: Tensor, radius: float, budget: int) -> Positions:
    """Rows of the points, the largest gain at each step.

    Gains only shrink, so one from before bounds the present one, and only the seemingly best is measured again
    (Minoux 1978).
    """
    tiles = torch.split(points, max(1, TILE // max(len(crowd), 1)))
    gains = torch.cat([_gains(tile, crowd, doubts, covered, radius) for tile in tiles])
    bounds, chosen = list(zip((-gains).tolist(), range(len(points)), strict=True)), list[int]()
    heapify(bounds)
    while len(chosen) < budget:
        bound, best = bounds[0]
        gain = float(_gains(points[best : best + 1], crowd, doubts, covered, radius))
        if gain < -bound:
            heapreplace(bounds, (-gain, best))
        else:
            heappop(bounds)
            chosen.append(best)
            covered = torch.maximum(covered, _kernel(crowd @ points[best], radius))
    return np.asarray(chosen, np.int64)
