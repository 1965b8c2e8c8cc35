"""K-means on the unit sphere, in blocks: what the strategies that spread their queries stand on.

On unit vectors `|x - c|^2 = 2 - 2 x.c`, so the nearest center is the one of the largest product, and the member of a
cluster with the smallest summed distance to all others, its medoid, is the one of the largest product with their mean.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from components.methods.contracts import Floats, Positions

BLOCK = 8192  # rows at a time: bounds memory at BLOCK x centers
SWEEPS = 25
SETTLED = 0.001  # share of points that may still change their cluster when a run ends
SAMPLE, SMALLEST_SAMPLE = 32, 20_000  # points per center, and at least, that a run learns its centers from
FEW = 100  # centers; with more, one run is about as good as another


@dataclass(frozen=True)
class Clusters:
    """assignment: `(N,)` center numbers; centers: `(C, D)`, the fixed ones first; cost: summed squared distance."""

    assignment: Tensor
    centers: Tensor
    cost: float


def unit(vectors: Floats, positions: Positions | None = None) -> Tensor:
    """Rows `(M, D)` of the vectors, each of length 1."""
    rows = vectors if positions is None else vectors[positions]
    return F.normalize(torch.as_tensor(rows, dtype=torch.float32), dim=1)


def k_means(
    points: Tensor,
    count: int,
    generator: torch.Generator,
    *,
    fixed: Tensor | None = None,
    weights: Tensor | None = None,
    restarts: int = 1,
) -> Clusters:
    """The cheapest of some k-means++ seeded runs of Lloyd's algorithm (of one run, for more than `FEW` centers).

    points: `(N, D)` unit vectors; fixed: `(L, D)` centers that stay where they are and keep their neighborhood to
    themselves; weights: `(N,)` how much a point pulls.
    Source: Dhillon & Modha 2001, https://doi.org/10.1023/A:1007612920971 (spherical k-means).
    """
    fixed = points[:0] if fixed is None else fixed
    weights = torch.ones(len(points)) if weights is None else weights
    runs = (_run(points, count, generator, fixed, weights) for _ in range(runs_worth(count, restarts)))
    return min(runs, key=lambda run: run.cost)


def runs_worth(count: int, restarts: int) -> int:
    """How many of the wanted restarts pay for `count` centers."""
    return restarts if count <= FEW else 1


def nearest(points: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """For each point the largest product with a center, and that center's number: both `(N,)`."""
    blocks = [(block @ centers.T).max(1) for block in torch.split(points, BLOCK)]
    return torch.cat([block.values for block in blocks]), torch.cat([block.indices for block in blocks])


def _run(points: Tensor, count: int, generator: torch.Generator, fixed: Tensor, weights: Tensor) -> Clusters:
    some = torch.randperm(len(points), generator=generator)[: max(SAMPLE * count, SMALLEST_SAMPLE)]
    seeds = _seeds(points[some], count, fixed, weights[some], generator)
    centers = _lloyd(points[some], seeds, fixed, weights[some])
    products, assignment = nearest(points, centers)
    return Clusters(assignment, centers, float(((2 - 2 * products) * weights).sum(dtype=torch.float64)))


def _seeds(points: Tensor, count: int, fixed: Tensor, weights: Tensor, generator: torch.Generator) -> Tensor:
    """k-means++ (Arthur & Vassilvitskii 2007): each next seed drawn by weight and squared distance to those so far."""
    weights = weights.clamp_min(1e-12).double()
    distance = 2 - 2 * nearest(points, fixed)[0] if len(fixed) else torch.ones(len(points))
    chosen = []
    for _ in range(count):
        mass = weights * distance.clamp_min(1e-9).double()  # identical points: any is as good as the other
        draw = torch.rand(1, generator=generator, dtype=torch.float64) * mass.sum()
        seed = int(torch.searchsorted(mass.cumsum(0), draw).clamp_max(len(points) - 1))
        chosen.append(seed)
        distance = torch.minimum(distance, 2 - 2 * (points @ points[seed]))
    return points[chosen]


def _lloyd(points: Tensor, seeds: Tensor, fixed: Tensor, weights: Tensor) -> Tensor:
    """The centers `(L + C, D)` once hardly a point changes its cluster any more."""
    centers, weighted = torch.cat([fixed, seeds]), points * weights[:, None]
    previous = torch.full((len(points),), -1)
    for _ in range(SWEEPS):
        assignment = nearest(points, centers)[1]
        if int((assignment != previous).sum()) <= SETTLED * len(points):
            break
        sums = torch.zeros_like(centers).index_add_(0, assignment, weighted)[len(fixed) :]
        empty = sums.norm(dim=1, keepdim=True) == 0
        centers = torch.cat([fixed, torch.where(empty, centers[len(fixed) :], F.normalize(sums, dim=1))])
        previous = assignment
    return centers
