"""Mean teacher: a network is to judge a picture as the running mean of itself judges another view of it.

Tarvainen & Valpola 2017, https://arxiv.org/abs/1703.01780.
"""

from pydantic import Field
from torch import nn

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SemiSupervisedNetwork, StepOutput
from components.methods.labeled_loss import labeled_loss
from components.methods.precise import precise
from components.methods.ramp_up import ramp_up
from components.methods.squared_difference import squared_difference
from components.models.encoders import Encoder
from components.models.teacher import Teacher


class MeanTeacher(SemiSupervisedNetwork):
    """Cross-entropy of labels, and the squared difference from the teacher, which labels the pool in the end."""

    views = ("weak", "weak")

    class Config(BaseConfig):
        """decay: of the teacher's mean, approached from below; weight: of the difference once it has risen; ramp: share
        of training that it takes to rise.

        The paper's decay is 0.999 over some 100,000 steps, and 0.99 while it ramps up; a run of hundreds wants a mean
        over fewer.
        """

        decay: float = Field(default=0.99, ge=0, lt=1)
        weight: float = Field(default=50.0, ge=0)
        ramp: float = Field(default=0.25, ge=0, le=1)

    def __init__(self, encoder: Encoder, head: nn.Linear, unlabeled: int, config: Config) -> None:
        super().__init__(encoder, head, unlabeled)
        self.config, self.progress, self.steps = config, 0.0, 0
        self.teacher = Teacher(nn.Sequential(encoder, head))

    def training_step(self, batch: Batch) -> StepOutput:
        """The student sees the first view, the teacher the second."""
        logits = precise(self.logits(batch.views[0]))
        difference = squared_difference(logits, precise(self.teacher(batch.views[1])))
        weight = self.config.weight * ramp_up(self.progress, self.config.ramp)
        return StepOutput(labeled_loss(logits, batch) + weight * difference, {"difference": difference.detach()})

    def after_step(self, progress: float) -> None:
        """The teacher follows; in the first steps it is the mean of all steps so far."""
        self.progress, self.steps = progress, self.steps + 1
        decay = min(self.config.decay, 1 - 1 / self.steps)
        self.teacher.follow(nn.Sequential(self.encoder, self.head), decay)

    def classifier(self) -> tuple[nn.Module, nn.Module]:
        """The teacher's."""
        encoder, head = self.teacher.network.children()
        return encoder, head
