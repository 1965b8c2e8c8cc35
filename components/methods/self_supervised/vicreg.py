"""VICReg: two views agree, every output varies over the batch, and no two outputs say the same.

Bardes, Ponce & LeCun 2022, https://arxiv.org/abs/2105.04906.
"""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.whole_batch import whole_batch
from components.models.encoders import Encoder
from components.models.projection_head import projection_head

EPSILON = 1e-4  # keeps the square root's gradient finite; the paper's value


class VICReg(SelfSupervisedMethod):
    """An encoder, a three-layer expander, and the three terms; no negatives, so small batches do."""

    views = ("view", "view")

    class Config(BaseConfig):
        """invariance, variance, covariance: the terms' weights, as in the paper; expander: width of its layers.

        The paper's expander, for a ResNet-50, is 8,192 wide; wider is better there, and dearer.
        """

        invariance: float = Field(default=25.0, ge=0)
        variance: float = Field(default=25.0, ge=0)
        covariance: float = Field(default=1.0, ge=0)
        expander: int = Field(default=1024, ge=1)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.expander = projection_head(encoder.dim, config.expander, config.expander, config.expander)

    def project(self, vectors: Tensor) -> Tensor:
        """The outputs of the expander."""
        outputs: Tensor = self.expander(vectors)
        return outputs

    def training_step(self, batch: Batch) -> StepOutput:
        """The weighted sum of the terms over all workers' samples, and each term's figure."""
        first, second = self.expander(self.encoder(torch.cat(batch.views))).chunk(2)
        with torch.autocast(first.device.type, enabled=False):
            terms = vicreg_terms(whole_batch(first), whole_batch(second))
        weights = (self.config.invariance, self.config.variance, self.config.covariance)
        loss = torch.stack([weight * term for weight, term in zip(weights, terms, strict=True)]).sum()
        names = ("invariance", "variance", "covariance")
        return StepOutput(loss, {name: term.detach() for name, term in zip(names, terms, strict=True)})


def vicreg_terms(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Invariance, variance and covariance of `(N, D)` outputs, N at least 2: the paper's equations 5, 1 and 3.

    Mean squared difference; mean hinge of 1 on each output's deviation, averaged over the two views; squared
    off-diagonal covariances over D, summed over the two.
    """
    variance = (_variance(first) + _variance(second)) / 2
    return F.mse_loss(first, second), variance, _covariance(first) + _covariance(second)


def _variance(outputs: Tensor) -> Tensor:
    return F.relu(1 - torch.sqrt(outputs.var(dim=0) + EPSILON)).mean()


def _covariance(outputs: Tensor) -> Tensor:
    """The sum of all squares less the diagonal's: no mask of `D` by `D`."""
    centered = outputs - outputs.mean(dim=0)
    covariance = centered.T @ centered / (len(outputs) - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / outputs.shape[1]
