"""ProbCover: the balls that cover most of what no label covers yet, one after the other (Yehuda et al. 2022)."""

from heapq import heapify, heappop, heapreplace
from math import ceil

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from components.core.config import Config as BaseConfig
from components.methods.clusters import k_means, nearest, unit
from components.methods.contracts import Pool, Positions, QueryStrategy

TILE = 4096  # products at a time, squared: bounds memory beside the balls, which take a bit for each pair of samples
SAMPLE = 4096  # points whose neighborhoods tell the radius

Bits = npt.NDArray[np.uint64]


class ProbCover(QueryStrategy):
    """Greedy maximum coverage of the pool by balls of one radius around labeled and asked samples.

    The radius is the largest at which enough balls hold points of a single k-means cluster. Where all is covered before
    the budget is spent, coverage begins anew with what has no label.
    Source: Yehuda et al. 2022, algorithm 1 and section 3.3, https://arxiv.org/abs/2205.11320
    """

    why = "Around it lie more samples that no label is close to than around any other."

    class Config(BaseConfig):
        """purity: share of balls that hold one cluster alone (0.95 in the paper); clusters: of the k-means, by default
        as many as classes, or without a model as many as there will be labels.
        """

        purity: float = Field(0.95, gt=0, lt=1)
        clusters: int | None = Field(None, ge=2)

    def __init__(self, config: Config) -> None:
        self.config = config

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates, the one that covers most first."""
        labels, budget = len(pool.labeled), min(budget, len(pool.candidates))
        if not budget:
            return pool.candidates[:0]
        points = unit(pool.vectors, np.concatenate([pool.labeled, pool.candidates]))
        known = labels + budget if pool.probabilities is None else pool.probabilities.shape[1]
        clusters = k_means(points, min(self.config.clusters or known, len(points)), generator)
        closeness = pure_closeness(points, clusters.assignment, self.config.purity, generator)
        uncovered = torch.ones(len(points), dtype=torch.bool)
        if labels:
            uncovered = nearest(points, points[:labels])[0] <= closeness
        balls = _balls(points, closeness)
        return pool.candidates[_greedy(balls[labels:], _bits(uncovered[None])[0], labels, budget)]


def pure_closeness(points: Tensor, assignment: Tensor, purity: float, generator: torch.Generator) -> float:
    """The least product `c` with `x` such that of so many points `x` all points closer than that are of `x`'s cluster.

    points: `(N, D)` unit vectors, of which some thousand are looked at; assignment: `(N,)`. The ball's radius is
    `sqrt(2 - 2 c)`. A ball is pure as long as it does not reach the nearest point of another cluster.
    """
    some = torch.randperm(len(points), generator=generator)[:SAMPLE]
    others = []
    for rows in torch.split(some, max(1, TILE**2 // len(points))):
        products = points[rows] @ points.T
        others.append(products.masked_fill_(assignment[rows, None] == assignment, -1).max(1).values)
    reached = torch.cat(others).sort().values
    return min(float(reached[ceil(purity * len(reached)) - 1]), 1 - 1e-6)  # a point is in its own ball


def _balls(points: Tensor, closeness: float) -> Bits:
    """For each point the bits of all points in its ball; each product is computed once and serves both its points."""
    balls = np.zeros((len(points), ceil(len(points) / 64)), np.uint64)
    starts = range(0, len(points), TILE)
    for top, left in ((top, left) for top in starts for left in starts if top <= left):
        near = points[top : top + TILE] @ points[left : left + TILE].T > closeness
        balls[top : top + TILE, left // 64 : (left + TILE) // 64] = _bits(near)
        balls[left : left + TILE, top // 64 : (top + TILE) // 64] = _bits(near.T)
    return balls


def _bits(flags: Tensor) -> Bits:
    """`(R, N)` booleans as `(R, ceil(N / 64))` words; bits beyond N are 0."""
    padded = torch.nn.functional.pad(flags, (0, -flags.shape[1] % 64))
    return np.packbits(padded.contiguous().numpy(), axis=1).view(np.uint64)


def _greedy(balls: Bits, uncovered: Bits, first: int, budget: int) -> list[int]:
    """Rows of the balls that cover most of the uncovered bits, one after the other.

    A gain known from before bounds the present one, for gains only shrink: so only the ball that seems best is counted
    again (Minoux 1978). Row i is the ball of point `first + i`.
    """
    sizes = np.concatenate([np.bitwise_count(part).sum(1, dtype=np.int64) for part in np.array_split(balls, 64)])
    bounds, chosen = list(zip((-sizes).tolist(), range(len(balls)), strict=True)), list[int]()
    heapify(bounds)
    while len(chosen) < budget:
        bound, best = bounds[0]
        gain = int(np.bitwise_count(balls[best] & uncovered).sum())
        if gain < -bound:
            heapreplace(bounds, (-gain, best))
        elif gain:
            heappop(bounds)
            chosen.append(best)
            uncovered = uncovered & ~balls[best]
        else:
            open_ = np.setdiff1d(np.arange(len(balls)), chosen)
            bounds = list(zip((-sizes[open_]).tolist(), open_.tolist(), strict=True))
            heapify(bounds)
            flags = torch.zeros(1, first + len(balls), dtype=torch.bool)
            flags[0, torch.as_tensor(first + open_)] = True
            uncovered = _bits(flags)[0]
    return chosen
