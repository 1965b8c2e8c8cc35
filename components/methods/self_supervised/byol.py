"""BYOL: from one view of a picture, predict what a slow copy of the network says of the other.

Grill et al. 2020, https://arxiv.org/abs/2006.07733.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.models.encoders import Encoder
from components.models.projection_head import projection_head
from components.models.teacher import Teacher, rising


class BYOL(SelfSupervisedMethod):
    """An encoder, a projection head, a predictor, and a teacher of the first two; no negatives.

    Unlike the paper's, the projection ends in batch norm: without it all projections share a large constant at first,
    which is all that a run of a hundred steps learns to predict.
    """

    views = ("view", "view")

    class Config(BaseConfig):
        """momentum: the teacher's at first, it rises to 1; hidden, projection: widths of projection head and predictor.

        The paper's: 0.996 over some 300,000 steps, 4,096 and 256. A run of a hundred steps wants a teacher that moves
        faster; for thousands, choose 0.99 or more.
        """

        momentum: float = Field(default=0.95, ge=0, le=1)
        hidden: int = Field(default=512, ge=1)
        projection: int = Field(default=128, ge=1)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.momentum = encoder, config.momentum
        self.head = nn.Sequential(
            projection_head(encoder.dim, config.hidden, config.projection), nn.BatchNorm1d(config.projection)
        )
        self.predictor = projection_head(config.projection, config.hidden, config.projection)
        self.teacher = Teacher(self._student())

    def project(self, vectors: Tensor) -> Tensor:
        """The outputs of the head."""
        outputs: Tensor = self.head(vectors)
        return outputs

    def training_step(self, batch: Batch) -> StepOutput:
        """Each view predicts the teacher's projection of the other."""
        views = torch.cat(batch.views)
        targets = self.teacher(views).chunk(2)
        predictions = self.predictor(self._student()(views)).chunk(2)
        return StepOutput(prediction_error(predictions[0], targets[1]) + prediction_error(predictions[1], targets[0]))

    def after_step(self, progress: float) -> None:
        """The teacher follows, more slowly towards the end."""
        self.teacher.follow(self._student(), rising(self.momentum, progress))

    def _student(self) -> nn.Sequential:
        return nn.Sequential(self.encoder, self.head)


def prediction_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """Mean over rows of `2 - 2 cos`, in [0, 4]: the squared distance of `(N, D)` rows made of length 1; equation 2."""
    precise = torch.promote_types(predictions.dtype, torch.float32)
    return 2 - 2 * F.cosine_similarity(predictions.to(precise), targets.to(precise)).mean()
