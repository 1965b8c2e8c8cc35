"""Batches that are uncertain and spread out: the most uncertain candidates, thinned to one per neighborhood."""

import numpy as np
import torch

from components.methods.clusters import k_means, unit
from components.methods.contracts import Floats, Pool, Positions


def diverse_batch(
    pool: Pool, uncertainty: Floats, budget: int, oversampling: int, generator: torch.Generator
) -> Positions:
    """`(min(budget, M),)` candidates, most uncertain first.

    uncertainty: `(M,)` of the candidates, in 0..1. The `oversampling * budget` most uncertain ones are clustered,
    weighted by their uncertainty; each cluster is asked about through the member nearest its center.
    Source: Zhdanov 2019, https://arxiv.org/abs/1901.05954
    """
    shortlist = np.argsort(-uncertainty, kind="stable")[: oversampling * budget]
    if len(shortlist) > budget:
        shortlist = shortlist[_spread(pool, uncertainty, shortlist, budget, generator)]
    ranked = shortlist[np.argsort(-uncertainty[shortlist], kind="stable")]
    return pool.candidates[ranked]


def _spread(
    pool: Pool, uncertainty: Floats, shortlist: Positions, budget: int, generator: torch.Generator
) -> Positions:
    points = unit(pool.vectors, pool.candidates[shortlist])
    weights = torch.as_tensor(uncertainty[shortlist])
    clusters = k_means(points, budget, generator, weights=weights, restarts=2)
    closeness = (points * clusters.centers[clusters.assignment]).sum(1)
    order = torch.argsort(closeness, descending=True, stable=True).numpy()
    _, first = np.unique(clusters.assignment.numpy()[order], return_index=True)
    kept = order[first]
    rest = np.setdiff1d(np.arange(len(shortlist)), kept)  # ascending: the shortlist is sorted by uncertainty
    return np.concatenate([kept, rest[: budget - len(kept)]])  # fewer clusters than asked where points coincide
