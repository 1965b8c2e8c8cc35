"""The graph of nearest neighbors as weights, and linear systems on it, whose answers flow from some samples to all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
import torch
from scipy.sparse.csgraph import connected_components

from components.core.seeds import torch_generator
from components.methods.clusters import k_means, unit
from components.methods.contracts import Floats, Graph, PoolTask, Positions

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
TINY = np.finfo(np.float64).tiny
BLOCK = 8192  # rows at a time where they do not need each other
SORTED_FROM, CELLS = 100_000, 128  # samples from which their order matters: a cell's masses fit into a core's cache


class FlowSettings(Protocol):
    """What `flowed` asks of a method's settings; what each means, the methods say."""

    neighbors: int
    bandwidth: float
    class_prior: float | None
    alpha: float
    tolerance: float
    sweeps: int


def flowed(task: PoolTask, settings: FlowSettings, flow: Callable[..., Doubles]) -> Floats:
    """`(N, K)` probabilities of all samples: the masses that `flow` brings from the labeled ones to every other, scaled
    by class; samples that none reaches get the class shares of the labels, labeled ones keep what they were given.

    flow: `(weights, labeled, targets, alpha, tolerance, sweeps)` -> `(N, K)`, rows that no label reaches all 0.
    """
    order = order_of(task.vectors, task.seed)
    place = np.argsort(order)
    weights = kernel(reordered(task.graph, order), settings.neighbors, settings.bandwidth)
    prior = task.targets.sum(0) + (1.0 if settings.class_prior is None else settings.class_prior)
    prior = prior / prior.sum()
    solver = {"alpha": settings.alpha, "tolerance": settings.tolerance, "sweeps": settings.sweeps}
    masses = flow(weights, place[task.labeled], task.targets, **solver)[place]
    reached = masses.sum(1) > 0
    if settings.class_prior is not None:
        masses *= prior / np.maximum(masses.sum(0), np.finfo(np.float32).tiny)
    masses[~reached] = prior
    masses[task.labeled] = task.targets
    return np.asarray(masses / masses.sum(1, keepdims=True), np.float32)


def reached_from(weights: sparse.csr_matrix, labeled: Positions) -> Mask:
    """`(N,)` which samples have a way to a labeled one."""
    components = connected_components(weights, directed=False)[1]
    return np.isin(components, components[labeled])


def order_of(vectors: Floats, seed: int) -> Positions:
    """`(N,)` the order in which so many samples are best gone through."""
    return by_cell(vectors, seed) if len(vectors) >= SORTED_FROM else np.arange(len(vectors))


def by_cell(vectors: Floats, seed: int) -> Positions:
    """`(N,)` positions such that near ones stand together: a sweep then finds its neighbors' masses in the cache."""
    assignment = k_means(unit(vectors), min(CELLS, len(vectors)), torch_generator(seed, "order")).assignment
    return np.asarray(assignment.argsort(stable=True).numpy())


def reordered(graph: Graph, order: Positions) -> Graph:
    """The same graph of samples that stand in another order."""
    return Graph(np.argsort(order)[graph.indices[order]], graph.similarities[order])


def kernel(graph: Graph, neighbors: int, bandwidth: float) -> sparse.csr_matrix:
    """`(N, N)` symmetric weights `exp((similarity - 1) / s)`, `s` the bandwidth times the median distance."""
    indices, distances = graph.indices[:, :neighbors], 1.0 - graph.similarities[:, :neighbors]
    scale = bandwidth * max(float(np.median(distances)), 1e-6) if distances.size else 1.0
    values = np.exp(-np.maximum(distances, 0) / scale).astype(np.float64) + 1e-12
    starts = np.arange(0, indices.size + 1, max(indices.shape[1], 1))
    one_way = sparse.csr_matrix((values.ravel(), indices.ravel().astype(np.int32), starts), shape=(len(indices),) * 2)
    return one_way + one_way.T


def solve(
    weights: sparse.csr_matrix, degrees: Doubles, free: Mask, right: Doubles, tolerance: float, sweeps: int
) -> Doubles:
    """Conjugate gradients on `(D - W) Y = right` in the free rows, preconditioned by `D`, the degrees.

    The other rows of Y are 0 and stay it, so nothing needs to be cut out of the weights. Block by block, while it is in
    the cache, by as many threads as torch has; sums do not depend on their number.
    """
    blocks = [slice(start, start + BLOCK) for start in range(0, len(right), BLOCK)]
    parts = [weights[rows] for rows in blocks]
    mask = free[:, None]
    inverse = mask / np.maximum(degrees, TINY)
    solution, residual = np.zeros_like(right), right * mask
    direction, image = inverse * residual, np.empty_like(right)
    power = (residual * direction).sum(0)
    goal = tolerance**2 * power

    def curvature(part: sparse.csr_matrix, rows: slice) -> Doubles:
        image[rows] = mask[rows] * (degrees[rows] * direction[rows] - part @ direction)
        return np.asarray((direction[rows] * image[rows]).sum(0))

    def descend(rows: slice) -> Doubles:
        solution[rows] += step * direction[rows]
        residual[rows] -= step * image[rows]
        return np.asarray((residual[rows] * (inverse[rows] * residual[rows])).sum(0))

    def turn(rows: slice) -> None:
        direction[rows] = inverse[rows] * residual[rows] + ratio * direction[rows]

    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        for _ in range(sweeps):
            if (power <= goal).all():
                break
            step = power / np.maximum(sum(threads.map(curvature, parts, blocks)), TINY)
            before, power = power, np.asarray(sum(threads.map(descend, blocks)))
            ratio = power / np.maximum(before, TINY)
            list(threads.map(turn, blocks))
    return solution
