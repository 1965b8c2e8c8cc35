"""Label spreading: every sample weighs what its neighbors say against its own label, labeled ones too (Zhou 2004)."""

import numpy as np
import scipy.sparse as sparse
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.methods.contracts import Floats, PoolTask, Positions, SemiSupervisedMethod
from components.methods.neighbor_graph import Doubles, flowed, reached_from, solve


class LabelSpreading(SemiSupervisedMethod):
    """Random walks go on beyond the first label that they meet, so that a label among samples of another class is
    outvoted by those around: for vectors whose neighborhoods mix classes. Its probabilities are flatter than label
    propagation's, so it wants a lower threshold; where neighborhoods hold one class each, that one is surer.

    Sources: Zhou, Bousquet, Lal, Weston & Schoelkopf 2004, "Learning with local and global consistency", section 2;
    class-mass normalization: Zhu, Ghahramani & Lafferty 2003, section 4.
    """

    class Config(BaseConfig):
        """neighbors: at most that many of the graph's; bandwidth: of the kernel, in units of the median distance;
        class_prior: pseudo-counts per class that shrink the labels' class shares towards equal ones, and to which the
        class masses are scaled (None: no class-mass normalization); alpha: what neighbors weigh against the own label;
        tolerance, sweeps: when the solver stops.
        """

        neighbors: int = Field(10, ge=1)
        bandwidth: float = Field(1.0, gt=0)
        class_prior: float | None = Field(10.0, ge=0)
        alpha: float = Field(0.99, gt=0, lt=1)
        tolerance: float = Field(1e-6, gt=0)
        sweeps: int = Field(1000, ge=1)

    def __init__(self, config: Config) -> None:
        self.config = config

    def pseudo_label(self, task: PoolTask) -> Floats:
        """`(N, K)`; samples that no label reaches get the class shares of the labels."""
        return flowed(task, self.config, spread)


def spread(
    weights: sparse.csr_matrix,
    labeled: Positions,
    targets: Floats,
    *,
    alpha: float,
    tolerance: float = 1e-6,
    sweeps: int = 1000,
) -> Doubles:
    """The paper's `F = (1 - alpha) (I - alpha S)^-1 Y`, `S = D^-1/2 W D^-1/2`: `(N, K)`; 0 where no label reaches.

    Solved for `G = D^-1/2 F`, as `(D / alpha - W) G = (1 - alpha) / alpha D^1/2 Y`.
    """
    degrees = np.asarray(weights.sum(1))
    start = np.zeros((weights.shape[0], targets.shape[1]))
    start[labeled] = targets
    root = np.sqrt(degrees)
    right = (1 - alpha) / alpha * root * start
    masses = root * solve(weights, degrees / alpha, reached_from(weights, labeled), right, tolerance, sweeps)
    return np.asarray(np.maximum(masses, 0))
