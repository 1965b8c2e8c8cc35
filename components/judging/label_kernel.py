"""Labels that answer for each other: what label propagation, or a linear head, learns from some of them says of others.

Both are linear in the labels that they learn from, so one matrix over the labeled samples holds all there is to know,
and any part of the labels is learned from in no time.
"""

from abc import ABC, abstractmethod

import numpy as np
import scipy.sparse as sparse

from components.methods.contracts import Floats, Graph, Positions
from components.methods.neighbor_graph import Doubles, kernel, solve
from components.methods.semi_supervised.label_propagation import LabelPropagation

RIDGE = 0.1  # share of the mean squared length of standardized vectors


class LabelKernel(ABC):
    """What `L` labels say of each other."""

    @abstractmethod
    def says(self, known: Positions, asked: Positions, targets: Doubles) -> Doubles:
        """`(A, K)` scores of the labels `asked`, learned from the labels `known` `(M,)`; targets: `(L, K)` of all."""


class PropagationKernel(LabelKernel):
    """Label propagation on the graph of all samples, which is solved once and cut down to the labeled ones.

    Clamping part of the labels and eliminating all unlabeled samples gives the Schur complement of the system that
    `propagate` solves (Zhu, Ghahramani & Lafferty 2003, section 2), so the answers are those of the method with its
    usual settings, class masses included.
    """

    def __init__(self, graph: Graph, labeled: Positions) -> None:
        """labeled: `(L,)` positions of the labels in the graph."""
        self._settings = settings = LabelPropagation.Config.model_validate({})
        weights = kernel(graph, settings.neighbors, settings.bandwidth)
        degrees = np.asarray(weights.sum(1)) / settings.alpha
        free = np.ones(weights.shape[0], bool)
        free[labeled] = False
        right = np.asarray(weights[:, labeled].todense())
        flows = solve(weights, degrees, free, right, settings.tolerance, settings.sweeps)  # (N, L)
        among = sparse.csr_matrix(weights)[labeled]
        self._system = np.diag(degrees[labeled, 0]) - np.asarray(among[:, labeled].todense()) - among @ flows
        self._reach = flows.sum(0)

    def says(self, known: Positions, asked: Positions, targets: Doubles) -> Doubles:
        """As the base says, scaled by class masses."""
        system, given = self._system, targets[known]
        rest = np.setdiff1d(np.arange(len(targets)), known)
        flow = np.linalg.solve(system[np.ix_(rest, rest)], -system[np.ix_(rest, known)] @ given)
        masses = np.empty_like(targets)
        masses[known], masses[rest] = given, np.maximum(flow, 0)
        prior = given.sum(0) + (self._settings.class_prior or 1.0)
        total = self._reach @ masses + masses.sum(0)
        return np.asarray(masses[asked] * prior / np.maximum(total, np.finfo(np.float32).tiny))


class HeadKernel(LabelKernel):
    """A linear head on standardized vectors, fitted by ridge regression to the classes."""

    def __init__(self, vectors: Floats) -> None:
        """vectors: `(L, D)` of the labels."""
        columns = (vectors - vectors.mean(0)) / np.maximum(vectors.std(0), 1e-6)
        self._products = np.asarray(columns @ columns.T, np.float64) + 1.0  # with an intercept
        self._ridge = RIDGE * float(np.diagonal(self._products).mean())

    def says(self, known: Positions, asked: Positions, targets: Doubles) -> Doubles:
        """As the base says."""
        system = self._products[np.ix_(known, known)] + self._ridge * np.eye(len(known))
        shares = targets[known].mean(0)
        return np.asarray(
            self._products[np.ix_(asked, known)] @ np.linalg.solve(system, targets[known] - shares) + shares
        )
