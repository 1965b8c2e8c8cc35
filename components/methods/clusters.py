"""K-means on the unit sphere, in blocks: what the strategies that spread their queries stand on.

On unit vectors `|x - c|^2 = 2 - 2 x.c`, so the nearest center is the one of the largest product, and the member of a
cluster with the smallest summed distance to all others, its medoid, is the one of the largest product with their mean.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from components.methods.contracts import Floats, Positions

BLOCK = 8192  # rows at a time, at most
TILE, WIDTH = 2**21, 4096  # products at a time, and of one row: fewer cost more to share out, more leave the cache
SWEEPS = 25
SETTLED = 0.001  # share of points that may still change their cluster when a run ends
SAMPLE, SMALLEST_SAMPLE = 32, 20_000  # points per center, and at least, that a run learns its centers from
SCATTERED = 4  # times as long takes a row that does not follow on the one before
ROUNDING = 1e-5  # of a squared distance, at most
FEW = 100  # centers; with more, one run is about as good as another
EVERY = slice(None)


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


def smoothed(points: Tensor, neighbors: int) -> Tensor:
    """`(N, D)` unit vectors, each the mean of a point and its nearest others: what lies in one crowd moves together."""
    reach = min(neighbors + 1, len(points))
    blocks = torch.split(points, max(1, TILE // len(points)))
    means = [points[(block @ points.T).topk(reach, 1).indices].mean(1) for block in blocks]
    return F.normalize(torch.cat(means), dim=1)


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
    weights = torch.ones(len(points)) if weights is None else weights
    runs = (_run(points, count, generator, fixed, weights) for _ in range(runs_worth(count, restarts)))
    return min(runs, key=lambda run: run.cost)


def learned_centers(
    points: Tensor,
    count: int,
    generator: torch.Generator,
    *,
    fixed: Tensor | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    """Only the centers `(L + C, D)` of one run of `k_means`, which learns them from some of the points."""
    fixed = points[:0] if fixed is None else fixed
    some = torch.randperm(len(points), generator=generator)[: max(SAMPLE * count, SMALLEST_SAMPLE)]
    pulls = torch.ones(len(some)) if weights is None else weights[some]
    sample = points[some]
    return _lloyd(sample, _seeds(sample, count, fixed, pulls, generator), fixed, pulls)


def runs_worth(count: int, restarts: int) -> int:
    """How many of the wanted restarts pay for `count` centers."""
    return restarts if count <= FEW else 1


def nearest(points: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """For each point the largest product with a center, and that center's number: both `(N,)`."""
    rows = min(BLOCK, max(1, TILE // min(len(centers), WIDTH)))
    blocks = [_nearest(block, centers) for block in torch.split(points, rows)]
    return torch.cat([values for values, _ in blocks]), torch.cat([numbers for _, numbers in blocks])


def _nearest(points: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    values, numbers = _largest(points @ centers[:WIDTH].T)
    for start in range(WIDTH, len(centers), WIDTH):
        found, among = _largest(points @ centers[start : start + WIDTH].T)
        closer = found > values  # of equally near ones the first
        values, numbers = torch.where(closer, found, values), torch.where(closer, among + start, numbers)
    return values, numbers


def _largest(products: Tensor) -> tuple[Tensor, Tensor]:
    """`max(1)`, up to eight times as fast on a processor: numpy's argmax is vectorized."""
    numbers = torch.from_numpy(products.numpy().argmax(1))
    return products.gather(1, numbers[:, None])[:, 0], numbers


def _run(points: Tensor, count: int, generator: torch.Generator, fixed: Tensor | None, weights: Tensor) -> Clusters:
    centers = learned_centers(points, count, generator, fixed=fixed, weights=weights)
    products, assignment = nearest(points, centers)
    return Clusters(assignment, centers, float(((2 - 2 * products) * weights).sum(dtype=torch.float64)))


def _seeds(points: Tensor, count: int, fixed: Tensor, weights: Tensor, generator: torch.Generator) -> Tensor:
    """k-means++ (Arthur & Vassilvitskii 2007): each next seed drawn by weight and squared distance to those so far."""
    weights = weights.clamp_min(1e-12).double()
    distance, home = torch.ones(len(points)), torch.full((len(points),), -1)  # -1: none yet
    if len(fixed):
        closeness, home = nearest(points, fixed)
        distance = 2 - 2 * closeness
    seeds = torch.cat([fixed, points.new_empty(count, points.shape[1])])
    for number in range(len(fixed), len(seeds)):
        mass = weights * distance.clamp_min(1e-9).double()  # identical points: any is as good as the other
        draw = torch.rand(1, generator=generator, dtype=torch.float64) * mass.sum()
        seed = points[int(torch.searchsorted(mass.cumsum(0), draw).clamp_max(len(points) - 1))]
        rows = _in_reach(seed, seeds[:number], distance, home) if number > FEW else EVERY
        found = 2 - 2 * (points[rows] @ seed)
        closer = found < distance[rows]
        distance[rows] = torch.where(closer, found, distance[rows])
        home[rows] = torch.where(closer, number, home[rows])
        seeds[number] = seed
    return seeds[len(fixed) :]


def _in_reach(seed: Tensor, seeds: Tensor, distance: Tensor, home: Tensor) -> Tensor | slice:
    """Rows of points that may be closer to the seed than to their home; all of them where these are not few.

    That takes a seed less than twice as far from their home as they are (Raff 2021, https://arxiv.org/abs/2105.02936).
    """
    apart = torch.cat([2 - 2 * (seeds @ seed), torch.zeros(1)])  # the last is for points without a home
    rows = (apart[home] < 4 * distance + ROUNDING).nonzero()[:, 0]
    return rows if SCATTERED * len(rows) < len(home) else EVERY


def _lloyd(points: Tensor, seeds: Tensor, fixed: Tensor, weights: Tensor) -> Tensor:
    """The centers `(L + C, D)` once hardly a point changes its cluster any more.

    Where most centers have come to rest, only points that lose theirs are compared with all of them.
    """
    centers, weighted = torch.cat([fixed, seeds]), points * weights[:, None]
    previous, moved = torch.full((len(points),), -1), torch.ones(len(centers), dtype=torch.bool)
    values, assignment = torch.empty(len(points)), previous.clone()
    for _ in range(SWEEPS):
        values, assignment = _updated(points, centers, moved, values, assignment)
        if int((assignment != previous).sum()) <= SETTLED * len(points):
            break
        sums = torch.zeros_like(centers).index_add_(0, assignment, weighted)[len(fixed) :]
        empty = sums.norm(dim=1, keepdim=True) == 0
        before, previous = centers, assignment
        centers = torch.cat([fixed, torch.where(empty, centers[len(fixed) :], F.normalize(sums, dim=1))])
        moved = (centers != before).any(1)
    return centers


def _updated(
    points: Tensor, centers: Tensor, moved: Tensor, products: Tensor, assignment: Tensor
) -> tuple[Tensor, Tensor]:
    """What `nearest` gives now, from what it gave, `products` and `assignment`, before centers moved: `(C,)` flags."""
    if 2 * int(moved.sum()) > len(moved):
        return nearest(points, centers)
    lost = moved[assignment]
    products, assignment = products.clone(), assignment.clone()
    products[lost], assignment[lost] = nearest(points[lost], centers)
    rows, candidates = (~lost).nonzero()[:, 0], moved.nonzero()[:, 0]
    if len(candidates):
        found, numbers = nearest(points[rows], centers[candidates])
        closer = found > products[rows]
        products[rows[closer]], assignment[rows[closer]] = found[closer], candidates[numbers[closer]]
    return products, assignment
