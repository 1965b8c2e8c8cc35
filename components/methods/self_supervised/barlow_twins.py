"""Barlow Twins: each output agrees with itself over two views, and no two outputs say the same.

Zbontar et al. 2021, https://arxiv.org/abs/2103.03230.
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


class BarlowTwins(SelfSupervisedMethod):
    """An encoder, a three-layer projector, and its outputs' correlations; no negatives, no teacher."""

    views = ("view", "view")

    class Config(BaseConfig):
        """redundancy: weight of the off-diagonal correlations, as in the paper; projector: width of its layers.

        The paper's projector, for a ResNet-50, is 8,192 wide; wider is better there, and dearer.
        """

        redundancy: float = Field(default=0.005, ge=0)
        projector: int = Field(default=1024, ge=1)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.redundancy = encoder, config.redundancy
        self.projector = projection_head(encoder.dim, config.projector, config.projector, config.projector)

    def project(self, vectors: Tensor) -> Tensor:
        """The outputs of the projector."""
        outputs: Tensor = self.projector(vectors)
        return outputs

    def training_step(self, batch: Batch) -> StepOutput:
        """The two terms over all workers' samples, and each term's figure."""
        first, second = self.projector(self.encoder(torch.cat(batch.views))).chunk(2)
        with torch.autocast(first.device.type, enabled=False):
            invariance, redundancy = barlow_twins_terms(whole_batch(first), whole_batch(second))
        figures = {"invariance": invariance.detach(), "redundancy": redundancy.detach()}
        return StepOutput(invariance + self.redundancy * redundancy, figures)


def barlow_twins_terms(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Invariance `sum_i (1 - C_ii)^2` and redundancy `sum_{i != j} C_ij^2` of `(N, D)` outputs, N at least 2.

    C: the correlation over the batch of output i in one view with output j in the other; the paper's equations 1 and 2.
    """
    first, second = (F.batch_norm(outputs, None, None, training=True) for outputs in (first, second))
    correlation = first.T @ second / len(first)
    diagonal = correlation.diagonal()
    return (1 - diagonal).square().sum(), correlation.square().sum() - diagonal.square().sum()
