"""ProbCover: the balls that cover most of what no label covers yet, one after the other (Yehuda et al. 2022)."""

from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from math import ceil

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from components.core.config import Config as BaseConfig
from components.methods.clusters import TILE, k_means, learned_centers, nearest, unit
from components.methods.contracts import Pool, Positions, QueryStrategy

ROWS = 512  # points at a time
AHEAD = 32  # cells' distances at a time
ROUNDING = 2e-3  # of a sum of distances, at most, from products near 1
SAMPLE = 4096  # points whose neighborhoods tell the radius

Bits = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


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
        balls = _balls(points, closeness, generator)
        return pool.candidates[_greedy(balls, uncovered.numpy(), labels, budget)]


def pure_closeness(points: Tensor, assignment: Tensor, purity: float, generator: torch.Generator) -> float:
    """The least product `c` with `x` such that of so many points `x` all points closer than that are of `x`'s cluster.

    points: `(N, D)` unit vectors, of which some thousand are looked at; assignment: `(N,)`. The ball's radius is
    `sqrt(2 - 2 c)`. A ball is pure as long as it does not reach the nearest point of another cluster.
    """
    some = torch.randperm(len(points), generator=generator)[:SAMPLE]
    others = []
    for rows in torch.split(some, ROWS):
        closest = torch.full((len(rows),), -1.0)
        for columns in torch.split(torch.arange(len(points)), max(1, TILE // ROWS)):
            part = slice(int(columns[0]), int(columns[-1]) + 1)
            products = (points[rows] @ points[part].T).masked_fill_(assignment[rows, None] == assignment[part], -1)
            closest = torch.maximum(closest, products.amax(1))
        others.append(closest)
    reached = torch.cat(others).sort().values
    return min(float(reached[ceil(purity * len(reached)) - 1]), 1 - 1e-6)  # a point is in its own ball


@dataclass(frozen=True)
class Balls:
    """held: `(N, W)`, for each point the bits of all points in its ball; places: `(N,)` which bit is which point's."""

    held: Bits
    places: Positions

    def bits(self, flags: Flags) -> Bits:
        """`(W,)` words in which the bits of flagged points are set; flags: `(N,)`."""
        row = np.zeros(64 * self.held.shape[1], bool)
        row[self.places] = flags
        return np.packbits(row).view(np.uint64)


def _balls(points: Tensor, closeness: float, generator: torch.Generator) -> Balls:
    """All balls, cell by cell of the points that they hold.

    Only points no farther from a cell's center than its farthest member and a ball's radius together can have members
    of it in their balls (triangle inequality): often few.
    """
    centers = learned_centers(points, ceil(len(points) ** 0.5), generator)
    home = nearest(points, centers)[1]
    cells = torch.split(home.argsort(stable=True), home.bincount(minlength=len(centers)).tolist())
    sizes = np.array([8 * ceil(len(cell) / 8) for cell in cells])  # a cell begins with a byte
    ends = sizes.cumsum()
    places, held = torch.empty(len(points), dtype=torch.int64), np.zeros((len(points), ceil(ends[-1] / 64)), np.uint64)
    for number, (cell, end, size) in enumerate(zip(cells, ends.tolist(), sizes.tolist(), strict=True)):
        if not number % AHEAD:
            distances = _distance(centers[number : number + AHEAD] @ points.T)
        if not size:
            continue
        places[cell] = torch.arange(end - size, end - size + len(cell))
        reach = distances[number % AHEAD, cell].max() + _distance(torch.tensor(closeness)) + ROUNDING
        columns = points[cell].T.contiguous()
        for rows in torch.split((distances[number % AHEAD] <= reach).nonzero()[:, 0], ceil(TILE / len(cell))):
            near = points[rows] @ columns > closeness
            held.view(np.uint8)[rows.numpy(), (end - size) // 8 : end // 8] = np.packbits(near.numpy(), axis=1)
    return Balls(held, places.numpy())


def _distance(products: Tensor) -> Tensor:
    return (2 - 2 * products).clamp_min(0).sqrt()


def _greedy(balls: Balls, open_: Flags, labels: int, budget: int) -> list[int]:
    """Of the points behind the labeled ones, those whose balls hold most of the open points, one after the other.

    A gain known from before bounds the present one, for gains only shrink: so only the ball that seems best is counted
    again (Minoux 1978).
    """
    held, chosen = balls.held[labels:], list[int]()
    sizes = np.concatenate([np.bitwise_count(part).sum(1, dtype=np.int64) for part in np.array_split(held, 64)])
    bounds, uncovered = list(zip((-sizes).tolist(), range(len(held)), strict=True)), balls.bits(open_)
    heapify(bounds)
    while len(chosen) < budget:
        bound, best = bounds[0]
        gain = int(np.bitwise_count(held[best] & uncovered).sum())
        if gain < -bound:
            heapreplace(bounds, (-gain, best))
        elif gain:
            heappop(bounds)
            chosen.append(best)
            uncovered = uncovered & ~held[best]
        else:
            rest = np.setdiff1d(np.arange(len(held)), chosen)
            bounds = list(zip((-sizes[rest]).tolist(), rest.tolist(), strict=True))
            heapify(bounds)
            uncovered = balls.bits(np.isin(np.arange(len(balls.held)), labels + rest))
    return chosen
