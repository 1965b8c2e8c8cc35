"""Linear probe: the encoder stays as it is, one linear layer on its vectors is solved to the optimum.

Alain & Bengio 2016, Understanding intermediate layers using linear classifier probes, https://arxiv.org/abs/1610.01644
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import AdaptationMethod, Batch, Floats, Positions, StepOutput
from components.models.chosen_head import fit_chosen
from components.models.encoders import Encoder
from components.models.linear_head import fit_linear


class LinearProbe(AdaptationMethod):
    """L2-regularized multinomial logistic regression on frozen vectors, with soft targets and weights."""

    frozen_encoder = True
    views = ()

    class Config(BaseConfig):
        """l2: weight of the squared norm beside the summed cross-entropy (see `fit_linear`); `chosen`: it, and how the
        vectors are scaled, are those that name held-out examples best (see `fit_chosen`). balanced: classes weigh the
        same however many labels each has, for labels that were picked and not drawn, and say nothing of shares.
        """

        l2: Annotated[float, Field(gt=0)] | Literal["chosen"] = 0.01
        balanced: bool = False

        def unused(self) -> dict[str, str]:
            """As the base says."""
            return {} if self.l2 == "chosen" else {"balanced": "l2 is a number, not `chosen`"}

    def __init__(self, encoder: Encoder, classes: int, config: Config) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
        self.head: nn.Module = nn.Linear(encoder.dim, classes)
        self.config = config

    def fit_head(self, pool: Floats, rows: Positions, targets: Floats, weights: Floats) -> float:
        """The whole training: a convex problem, solved and not stepped towards."""
        if self.config.l2 == "chosen":
            chosen = fit_chosen(pool, rows, targets, weights, balanced=self.config.balanced)
            self.head = chosen.head
            return chosen.loss
        self.head, loss = fit_linear(pool, rows, targets, weights, l2=self.config.l2)
        return loss

    def training_step(self, batch: Batch) -> StepOutput:
        """The same loss without the penalty, of vectors `(B, D)`: what one step of a stochastic solver would see."""
        assert batch.targets is not None
        assert batch.weights is not None
        losses = F.cross_entropy(self.head(batch.views[0]), batch.targets, reduction="none")
        return StepOutput(torch.dot(batch.weights, losses) / batch.weights.sum())
