"""K-medoids: the samples that stand for the pool best, given those already labeled; the one to beat at few labels."""

import numpy as np
import torch
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.methods.clusters import learned_centers, nearest, runs_worth, smoothed, unit
from components.methods.contracts import Pool, Positions, QueryStrategy


class KMedoids(QueryStrategy):
    """The candidates that bring every sample closest to a labeled one; labeled samples are medoids that stay.

    Of several k-means++ seeded runs (spherical k-means, each center then moved to the candidate nearest to it) the one
    with the lowest summed distance of the pool to its medoids.
    Source: Kaufman & Rousseeuw 1987 (the criterion); Park & Jun 2009, https://doi.org/10.1016/j.eswa.2008.01.039
    """

    why = "It stands for many samples that no label is close to yet."

    class Config(BaseConfig):
        """restarts: how many runs compete where few are asked for.

        neighbors: above 0, each vector is first replaced, `rounds` times, by the mean of itself and so many nearest
        others, so that few medoids go to different crowds and not into the two halves of a wide one.
        """

        restarts: int = Field(8, ge=1)
        neighbors: int = Field(0, ge=0)
        rounds: int = Field(1, ge=1)

        def unused(self) -> dict[str, str]:
            """As the base says."""
            return {} if self.neighbors else {"rounds": "neighbors is 0"}

    def __init__(self, config: Config) -> None:
        self.config = config

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates, the one that stands for most samples first."""
        if not 0 < budget < len(pool.candidates):
            return pool.candidates[:budget].copy()
        labeled, candidates = self._points(pool, pool.labeled), self._points(pool, pool.candidates)
        covered = nearest(candidates, labeled)[0] if len(labeled) else torch.full((len(candidates),), -torch.inf)
        runs = [
            self._run(labeled, candidates, covered, budget, generator)
            for _ in range(runs_worth(budget, self.config.restarts))
        ]
        medoids, sizes, _ = min(runs, key=lambda run: run[2])
        return pool.candidates[medoids[np.argsort(-sizes, kind="stable")]]

    def _points(self, pool: Pool, rows: Positions) -> torch.Tensor:
        """Unit vectors of some rows, smoothed among all where that is asked for."""
        if not self.config.neighbors:
            return unit(pool.vectors, rows)
        points = unit(pool.vectors)
        for _ in range(self.config.rounds):
            points = smoothed(points, self.config.neighbors)
        return points[torch.from_numpy(rows)]

    def _run(
        self,
        labeled: torch.Tensor,
        candidates: torch.Tensor,
        covered: torch.Tensor,
        budget: int,
        generator: torch.Generator,
    ) -> tuple[Positions, Positions, float]:
        """Medoids (rows of `candidates`), how many candidates each stands for, and all candidates' summed distance.

        covered: `(M,)` the candidates' largest product with a labeled sample.
        """
        centers = learned_centers(candidates, budget, generator, fixed=labeled)
        medoids = _distinct(candidates, centers[len(labeled) :])
        products, assignment = nearest(candidates, candidates[medoids])
        distance = (2 - 2 * torch.maximum(products, covered)).clamp_min(0).sqrt().sum(dtype=torch.float64)
        return medoids, np.bincount(assignment[products > covered].numpy(), minlength=budget), float(distance)


def _distinct(points: torch.Tensor, centers: torch.Tensor) -> Positions:
    """The point nearest to each center; where two centers meet in one point, the later one takes its next nearest."""
    _, chosen = nearest(centers, points)
    positions = chosen.numpy().copy()
    taken = np.zeros(len(points), bool)
    for number, position in enumerate(positions.tolist()):
        if taken[position]:
            products = (points @ centers[number]).numpy()
            products[taken] = -np.inf
            positions[number] = products.argmax()
        taken[positions[number]] = True
    return positions
