"""Pi-model: two views of a picture, through the same network, are to be judged alike.

Laine & Aila 2017, Temporal ensembling for semi-supervised learning, https://arxiv.org/abs/1610.02242.
"""

import torch
from pydantic import Field
from torch import nn

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SemiSupervisedNetwork, StepOutput
from components.methods.labeled_loss import labeled_loss
from components.methods.precise import precise
from components.methods.ramp_up import ramp_up
from components.methods.squared_difference import squared_difference
from components.models.encoders import Encoder


class PiModel(SemiSupervisedNetwork):
    """Cross-entropy of labels, and the squared difference of the predictions for two views, labeled or not.

    The two views differ by augmentation alone: the paper's dropout is not in our encoders.
    """

    views = ("weak", "weak")

    class Config(BaseConfig):
        """weight: of the difference once it has risen; ramp: share of training that it takes to rise.

        The paper's weight is 100 times the share of labels among the pictures; its ramp is 80 of 300 epochs.
        """

        weight: float = Field(default=10.0, ge=0)
        ramp: float = Field(default=0.25, ge=0, le=1)

    def __init__(self, encoder: Encoder, head: nn.Linear, unlabeled: int, config: Config) -> None:
        super().__init__(encoder, head, unlabeled)
        self.config, self.progress = config, 0.0

    def training_step(self, batch: Batch) -> StepOutput:
        """Both views in one pass; the gradient goes through both."""
        first, second = precise(self.logits(torch.cat(batch.views))).chunk(2)
        difference = squared_difference(first, second)
        weight = self.config.weight * ramp_up(self.progress, self.config.ramp)
        return StepOutput(labeled_loss(first, batch) + weight * difference, {"difference": difference.detach()})

    def after_step(self, progress: float) -> None:
        """The weight goes by the share of training done."""
        self.progress = progress
