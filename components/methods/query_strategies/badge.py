"""BADGE: diverse samples of large gradient, by k-means++ on gradient embeddings (Ash et al. 2020)."""

import numpy as np
import torch
from torch import Tensor

from components.core.config import Config as BaseConfig
from components.methods.clusters import BLOCK
from components.methods.contracts import Floats, Pool, Positions, QueryStrategy

PENDING = 64  # centers that one pass over the pool brings in at once
PATIENCE = 16  # refused draws after which that pass is made earlier


class Badge(QueryStrategy):
    """k-means++ seeds among the gradients that the head would get if the model's guesses were right.

    A gradient is the outer product of residual and features, which is never formed: norms and products of outer
    products are products of those of their factors.
    Source: Ash et al. 2020, algorithm 1, https://arxiv.org/abs/1906.03671; the first seed is the one of the largest
    gradient, as in the authors' program.
    """

    needs_model = True
    needs_features = True
    why = "Its label would change the model much, and otherwise than the other questions: {guess}, {confidence:.0%}."

    class Config(BaseConfig):
        """Nothing to set."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` candidates in the order in which they were drawn."""
        assert pool.probabilities is not None
        assert pool.features is not None
        gradients = Gradients(pool.probabilities[pool.candidates], pool.features)
        return pool.candidates[seeds(gradients, min(budget, len(pool.candidates)), generator)]


class Gradients:
    """`M` gradients `(p - onehot(argmax p)) x h` by their factors: probabilities `(M, K)` and features `(M, F)`."""

    def __init__(self, probabilities: Floats, features: Floats) -> None:
        self.features = torch.as_tensor(features)
        self.residuals = torch.tensor(probabilities)
        self.residuals[torch.arange(len(features)), self.residuals.argmax(1)] -= 1
        self.squares = _squares(self.residuals) * _squares(self.features)

    def __len__(self) -> int:
        return len(self.squares)

    def distances(self, rows: slice | list[int], others: list[int]) -> Tensor:
        """`(R,)` squared distance of each of the rows to the nearest of the others."""
        products = self.residuals[rows] @ self.residuals[others].T
        products *= self.features[rows] @ self.features[others].T
        distances: Tensor = self.squares[rows] + (self.squares[others] - 2 * products).min(1).values
        return distances.clamp_min(0)


def _squares(rows: Tensor) -> Tensor:
    """`(M,)` squared lengths, as products of rows: any other way forms the squares of all elements first."""
    return torch.bmm(rows[:, None], rows[:, :, None]).view(-1)


def seeds(gradients: Gradients, count: int, generator: torch.Generator) -> list[int]:
    """Row numbers of k-means++ seeds, each drawn by its squared distance to those before (Arthur & Vassilvitskii 2007).

    Drawn by distances to all but the latest seeds, which are upper bounds, and kept with probability true distance
    over bound: that is the same distribution, and the pool is gone through once for many seeds. Where all that is left
    lies on seeds already, any is as good as the other.
    """
    chosen, seen, refused = [int(gradients.squares.argmax())][:count], 0, 0
    bounds = torch.full((len(gradients),), torch.inf)
    while len(chosen) < count:
        latest = chosen[seen:]
        if not seen or len(latest) == PENDING or refused == PATIENCE:
            for start in range(0, len(gradients), BLOCK):
                rows = slice(start, start + BLOCK)
                bounds[rows] = torch.minimum(bounds[rows], gradients.distances(rows, latest))
            bounds[latest] = 0
            mass, latest, seen, refused = bounds.cumsum(0, dtype=torch.float64), [], len(chosen), 0
            if not mass[-1] > 0:
                break
        draw, kept = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
        drawn = min(int(torch.searchsorted(mass, draw * mass[-1], right=True)), len(gradients) - 1)
        bound = float(bounds[drawn])
        true = min(bound, float(gradients.distances([drawn], latest))) if latest else bound
        if kept * bound < true and drawn not in latest:
            chosen.append(drawn)
        else:
            refused += 1
    rest = np.setdiff1d(np.arange(len(gradients)), chosen)
    order = torch.randperm(len(rest), generator=generator)[: count - len(chosen)].numpy()
    return [*chosen, *rest[order].tolist()]
