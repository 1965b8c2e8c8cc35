"""TypiClust: the most typical sample of each cluster that no label covers yet (Hacohen, Dekel & Weinshall 2022)."""

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.methods.clusters import BLOCK, k_means, unit
from components.methods.contracts import Floats, Pool, Positions, QueryStrategy


class Typiclust(QueryStrategy):
    """As many clusters as labels there will be; the largest with the fewest labels is asked about first.

    Source: Hacohen, Dekel & Weinshall 2022, https://arxiv.org/abs/2202.02794
    """

    why = "It is the most typical of a group of look-alikes with few labels or none."

    class Config(BaseConfig):
        """Defaults are the paper's.

        neighbors: how many tell a sample's typicality; max_clusters: more labels than this share clusters;
        min_size: clusters below it are asked about last; restarts: of the clustering.
        """

        neighbors: int = Field(20, ge=1)
        max_clusters: int = Field(500, ge=1)
        min_size: int = Field(5, ge=1)
        restarts: int = Field(4, ge=1)

    def __init__(self, config: Config) -> None:
        self.config = config

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates, the one of the largest uncovered cluster first."""
        everything = np.concatenate([pool.labeled, pool.candidates])
        points = unit(pool.vectors, everything)
        budget = min(budget, len(pool.candidates))
        count = min(len(pool.labeled) + budget, self.config.max_clusters)
        assignment = k_means(points, count, generator, restarts=self.config.restarts).assignment.numpy()
        open_ = np.arange(len(everything)) >= len(pool.labeled)
        covered = np.bincount(assignment[~open_], minlength=count)
        sizes = np.bincount(assignment, minlength=count)
        waiting = self._ranked_members(points, assignment, open_, np.unique(assignment[open_]))
        chosen: list[int] = []
        while len(chosen) < budget:
            cluster = min(waiting, key=lambda c: (sizes[c] < self.config.min_size, covered[c], -sizes[c], c))
            chosen.append(waiting[cluster].pop(0))
            covered[cluster] += 1
            if not waiting[cluster]:
                del waiting[cluster]
        return everything[chosen]

    def _ranked_members(
        self, points: torch.Tensor, assignment: Positions, open_: npt.NDArray[np.bool_], clusters: Positions
    ) -> dict[int, list[int]]:
        """Of each cluster its open members, the most typical first."""
        order = np.argsort(assignment, kind="stable")
        starts = np.searchsorted(assignment[order], np.arange(assignment.max() + 2))
        ranked = {}
        for cluster in clusters.tolist():
            members = order[starts[cluster] : starts[cluster + 1]]
            best = members[np.argsort(-typicality(points[members], self.config.neighbors), kind="stable")]
            ranked[cluster] = best[open_[best]].tolist()
        return ranked


def typicality(points: torch.Tensor, neighbors: int) -> Floats:
    """`(N,)` inverse mean distance of each of `(N, D)` unit vectors to its nearest others (equation 2 of the paper)."""
    if len(points) < 2:
        return np.ones(len(points), np.float32)
    reach = min(neighbors, len(points) - 1) + 1  # the sample itself is among its nearest, at distance 0
    sums = [
        (2 - 2 * (block @ points.T).topk(reach, 1).values).clamp_min(0).sqrt()[:, 1:].mean(1)
        for block in torch.split(points, max(1, BLOCK * 1024 // len(points)))
    ]
    return np.asarray((1 / torch.cat(sums).clamp_min(1e-6)).numpy(), np.float32)
