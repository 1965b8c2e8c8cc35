"""Batches that are uncertain and spread out: candidates drawn by uncertainty, thinned to one per neighborhood."""

import numpy as np
import torch

from components.methods.clusters import k_means, unit
from components.methods.contracts import Floats, Pool, Positions


def diverse_batch(
    pool: Pool,
    uncertainty: Floats,
    budget: int,
    *,
    oversampling: int,
    power: float | None,
    generator: torch.Generator,
) -> Positions:
    """`(min(budget, M),)` candidates, most uncertain first.

    uncertainty: `(M,)` of the candidates, in 0..1. `oversampling * budget` of them (see `shortlisted`) are clustered,
    weighted by their uncertainty; each cluster is asked about through the member nearest its center.
    Source: Zhdanov 2019, https://arxiv.org/abs/1901.05954
    """
    listed = shortlisted(uncertainty, oversampling * budget, power, generator)
    if len(listed) > budget:
        listed = listed[_spread(pool, uncertainty, listed, budget, generator)]
    ranked = listed[np.argsort(-uncertainty[listed], kind="stable")]
    return pool.candidates[ranked]


def shortlisted(uncertainty: Floats, count: int, power: float | None, generator: torch.Generator) -> Positions:
    """`(min(count, M),)` places by falling uncertainty, drawn without repeats with odds of uncertainty ** power.

    uncertainty: `(M,)`, at least 0. power None: the most uncertain places; in a large pool these may all lie at one
    boundary between two classes, and be worth less than as many random ones (docs/log.md).
    Source: power acquisition, Kirsch et al. 2023, https://arxiv.org/abs/2106.12059: the highest values once Gumbel
    noise is added to the logarithms.
    """
    value = torch.as_tensor(uncertainty, dtype=torch.float64)
    if power is not None:
        noise = -torch.rand(value.shape, generator=generator, dtype=torch.float64).log().neg().log()
        value = power * value.clamp_min(torch.finfo(torch.float64).tiny).log() + noise
    listed = torch.argsort(value, descending=True, stable=True).numpy()[:count]
    return listed[np.argsort(-uncertainty[listed], kind="stable")]


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
