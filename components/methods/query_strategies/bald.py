"""BALD: ask where draws of the model under dropout are each sure, and disagree (Houlsby et al. 2011)."""

import numpy as np
import torch
from pydantic import Field

from components.methods.clusters import BLOCK
from components.methods.contracts import Floats, Pool
from components.methods.uncertainty_sampling import UncertaintySampling


class Bald(UncertaintySampling):
    """The highest mutual information between a sample's class and the model's weights, thinned for diversity.

    Source: Houlsby et al. 2011, https://arxiv.org/abs/1112.5745; by dropout: Gal, Islam & Ghahramani 2017, section 4,
    https://arxiv.org/abs/1703.02910
    """

    why = (
        "The more its answers differ with parts of it left out, the likelier the model asks; "
        "on the whole it says {guess} ({confidence:.0%})."
    )

    class Config(UncertaintySampling.Config):
        """draws: how often parts of the model are left out; the others: as in the other uncertainty strategies."""

        draws: int = Field(20, ge=2)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.draws = config.draws

    def uncertainty(self, pool: Pool) -> Floats:
        """The mutual information."""
        assert pool.draws is not None
        return mutual_information(pool.draws)


def mutual_information(draws: Floats) -> Floats:
    """`(M,)` entropy of the mean of `(T, M, K)` draws minus the draws' mean entropy, divided by log K: in 0..1."""
    parts = [_information(torch.as_tensor(draws[:, row : row + BLOCK])) for row in range(0, draws.shape[1], BLOCK)]
    return np.asarray(torch.cat(parts).numpy() / np.log(max(draws.shape[2], 2)), np.float32)


def _information(draws: torch.Tensor) -> torch.Tensor:
    information: torch.Tensor = torch.special.entr(draws.mean(0)).sum(1) - torch.special.entr(draws).sum(2).mean(0)
    return information.clamp_min(0)
