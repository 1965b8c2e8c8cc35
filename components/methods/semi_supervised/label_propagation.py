"""Label propagation: labels flow along the nearest-neighbor graph until they settle (Zhu & Ghahramani 2002)."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
import torch
from pydantic import Field
from scipy.sparse.csgraph import connected_components

from components.core.config import Config as BaseConfig
from components.core.seeds import torch_generator
from components.methods.clusters import k_means, unit
from components.methods.contracts import Floats, Graph, PoolTask, Positions, SemiSupervisedMethod

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
TINY = np.finfo(np.float64).tiny
BLOCK = 8192  # rows at a time where they do not need each other
SORTED_FROM, CELLS = 100_000, 128  # samples from which their order matters: a cell's masses fit into a core's cache


class LabelPropagation(SemiSupervisedMethod):
    """Each unlabeled sample is alpha times the weighted mean of its neighbors, labeled ones keep their labels.

    So the first label that a random walk from a sample meets counts alpha to the number of steps.
    Sources: Zhu & Ghahramani 2002, http://pages.cs.wisc.edu/~jerryzhu/pub/CMU-CALD-02-107.pdf; the fixed point as a
    linear system and class-mass normalization: Zhu, Ghahramani & Lafferty 2003, sections 2 and 4; alpha: Zhou et al.
    2004, "Learning with local and global consistency", where labeled samples may change too. With alpha 1 and few
    labels in a large pool walks get lost, and nearly all samples end up alike: Nadler, Srebro & Zhou 2009.
    """

    class Config(BaseConfig):
        """neighbors: at most that many of the graph's; bandwidth: of the kernel, in units of the median distance;
        class_prior: pseudo-counts per class that shrink the labels' class shares towards equal ones, and to which the
        class masses are scaled (None: no class-mass normalization); alpha: what a label still counts one step further,
        1 for plain propagation; tolerance, sweeps: when the solver stops.
        """

        neighbors: int = Field(10, ge=1)
        bandwidth: float = Field(0.2, gt=0)
        class_prior: float | None = Field(10.0, ge=0)
        alpha: float = Field(0.99, gt=0, le=1)
        tolerance: float = Field(1e-6, gt=0)
        sweeps: int = Field(1000, ge=1)

    def __init__(self, config: Config) -> None:
        self.config = config

    def pseudo_label(self, task: PoolTask) -> Floats:
        """`(N, K)`; samples that no label reaches get the class shares of the labels."""
        order = by_cell(task.vectors, task.seed) if len(task.vectors) >= SORTED_FROM else np.arange(len(task.vectors))
        place = np.argsort(order)
        weights = kernel(reordered(task.graph, order), self.config.neighbors, self.config.bandwidth)
        prior = task.targets.sum(0) + (1.0 if self.config.class_prior is None else self.config.class_prior)
        prior = prior / prior.sum()
        solver = self.config.model_dump(include={"alpha", "tolerance", "sweeps"})
        masses = propagate(weights, place[task.labeled], task.targets, **solver)[place]
        reached = masses.sum(1) > 0
        if self.config.class_prior is not None:
            masses *= prior / np.maximum(masses.sum(0), np.finfo(np.float32).tiny)
        masses[~reached] = prior
        masses[task.labeled] = task.targets
        return np.asarray(masses / masses.sum(1, keepdims=True), np.float32)


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


def propagate(
    weights: sparse.csr_matrix,
    labeled: Positions,
    targets: Floats,
    *,
    alpha: float = 1.0,
    tolerance: float = 1e-6,
    sweeps: int = 1000,
) -> Doubles:
    """The fixed point of `Y <- alpha T Y` with the labeled rows clamped, `T` the row-normalized weights: `(N, K)`.

    Solved as `(D / alpha - W)_uu Y_u = W_ul Y_l` by conjugate gradients, which need tens of sweeps where iterating
    needs thousands. Rows that no label reaches stay 0.
    """
    masses = np.zeros((weights.shape[0], targets.shape[1]))
    masses[labeled] = targets
    components = connected_components(weights, directed=False)[1]
    free = np.isin(components, components[labeled])
    free[labeled] = False
    degrees = np.asarray(weights.sum(1)) / alpha
    masses += _solve(weights, degrees, free, weights @ masses, tolerance, sweeps)
    return np.maximum(masses, 0)


def _solve(
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
