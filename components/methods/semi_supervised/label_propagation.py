"""Label propagation: labels flow along the nearest-neighbor graph until they settle (Zhu & Ghahramani 2002)."""

import numpy as np
import scipy.sparse as sparse
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.methods.contracts import Floats, PoolTask, Positions, SemiSupervisedMethod
from components.methods.neighbor_graph import Doubles, flowed, reached_from, solve


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
        return flowed(task, self.config, propagate)


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
    free = reached_from(weights, labeled)
    free[labeled] = False
    degrees = np.asarray(weights.sum(1)) / alpha
    masses += solve(weights, degrees, free, weights @ masses, tolerance, sweeps)
    return np.maximum(masses, 0)
