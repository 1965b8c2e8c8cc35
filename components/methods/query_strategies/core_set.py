"""Core-set: always the candidate farthest from all labeled ones (k-center greedy; Sener & Savarese 2018)."""

import numpy as np
import torch

from components.core.config import Config as BaseConfig
from components.methods.clusters import nearest, unit
from components.methods.contracts import Pool, Positions, QueryStrategy


class CoreSet(QueryStrategy):
    """Greedy k-center on unit vectors: at most twice the smallest radius that covers the pool.

    Source: Sener & Savarese 2018, algorithm 1, https://arxiv.org/abs/1708.00489
    """

    why = "Nothing labeled or asked before it looks less like it: it is the farthest from all of them."

    class Config(BaseConfig):
        """Nothing to set."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates, the farthest first; without labels, the one nearest the pool's mean."""
        points, budget = unit(pool.vectors, pool.candidates), min(budget, len(pool.candidates))
        if len(pool.labeled) or not budget:
            return pool.candidates[_farthest(points, unit(pool.vectors, pool.labeled), budget, generator)]
        first = int((points @ points.mean(0)).argmax())
        rest = np.delete(np.arange(len(points)), first)
        return pool.candidates[[first, *rest[_farthest(points[rest], points[[first]], budget - 1, generator)]]]


def _farthest(points: torch.Tensor, centers: torch.Tensor, budget: int, generator: torch.Generator) -> list[int]:
    """Exact greedy choice by lazy cells: a cell's old greatest distance bounds its true one, for distances only shrink.

    So only the cell that seems to hold the farthest point is brought up to date, with all centers it missed at once.
    """
    if not budget:
        return []
    cells = _cells(points, generator)
    rows = [points[cell] for cell in cells]
    distances = [1 - nearest(row, centers)[0] for row in rows]
    bounds = np.array([float(distance.max()) for distance in distances])
    seen, added = np.zeros(len(cells), np.int64), points.new_empty((budget, points.shape[1]))
    chosen: list[int] = []
    while len(chosen) < budget:
        cell = int(bounds.argmax())
        if seen[cell] < len(chosen):
            closest = 1 - nearest(rows[cell], added[seen[cell] : len(chosen)])[0]
            distances[cell] = torch.minimum(distances[cell], closest)
            bounds[cell], seen[cell] = float(distances[cell].max()), len(chosen)
            continue
        member = int(distances[cell].argmax())
        added[len(chosen)] = rows[cell][member]
        chosen.append(int(cells[cell][member]))
        distances[cell][member] = -torch.inf
        bounds[cell] = float(distances[cell].max())
    return chosen


def _cells(points: torch.Tensor, generator: torch.Generator) -> list[torch.Tensor]:
    """Row numbers of neighborhoods of about sqrt(N) points each."""
    pivots = points[torch.randperm(len(points), generator=generator)[: max(1, int(len(points) ** 0.5))]]
    home = nearest(points, pivots)[1]
    order = torch.argsort(home, stable=True)
    return [cell for cell in torch.split(order, torch.bincount(home).tolist()) if len(cell)]
