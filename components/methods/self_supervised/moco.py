"""MoCo: a view is closer to a slow copy's vector of the other view than to a queue of other pictures' vectors.

He et al. 2020, https://arxiv.org/abs/1911.05722; Chen, Fan, Girshick & He 2020, MoCo v2, https://arxiv.org/abs/2003.04297.
"""

from pydantic import Field
from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.info_nce import PLAIN, HardNegatives, Negatives, info_nce
from components.methods.queue import Queue, of_others
from components.methods.whole_batch import whole_batch
from components.models.encoders import Encoder
from components.models.projection_head import projection_head
from components.models.teacher import Teacher


class MoCo(SelfSupervisedMethod):
    """MoCo v2: an encoder, a two-layer projection head, a teacher of both, and the queue.

    Where the data are few the queue holds a picture's own older vectors: they are no negatives. The keys of the batch
    at hand are, so that batch norm cannot give the positive away. A queue not yet full counts as if it were: what it
    has stands for all, and the loss of the first steps compares with that of the last.
    """

    views = ("view", "view")

    class Config(BaseConfig):
        """temperature: of the softmax; momentum: the teacher's; queue: vectors kept; hidden, projection: widths.

        The paper's queue holds 65,536 (a twentieth of its data), its momentum is 0.999, over some 10^6 steps.
        """

        temperature: float = Field(default=0.2, ge=0.03)
        momentum: float = Field(default=0.99, ge=0, le=1)
        queue: int = Field(default=1024, ge=1)
        hidden: int = Field(default=512, ge=1)
        projection: int = Field(default=128, ge=1)
        hard_negatives: HardNegatives = PLAIN

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.head = projection_head(encoder.dim, config.hidden, config.projection)
        self.teacher = Teacher(self._student())
        self.queue = Queue(config.queue, config.projection)

    def project(self, vectors: Tensor) -> Tensor:
        """The outputs of the head."""
        outputs: Tensor = self.head(vectors)
        return outputs

    def training_step(self, batch: Batch) -> StepOutput:
        """InfoNCE of the first view against the teacher's of the second, over all workers' samples."""
        numbers = whole_batch(batch.keys)
        queries = whole_batch(self._student()(batch.views[0]))
        keys = whole_batch(self.teacher(batch.views[1]))
        vectors, owners = self.queue.with_newest(keys, numbers)
        negatives = Negatives(vectors, of_others(numbers, owners), count=len(vectors))
        loss = info_nce(queries, keys, negatives, self.config.temperature, self.config.hard_negatives)
        self.queue.push(keys, numbers)
        return StepOutput(loss)

    def after_step(self, progress: float) -> None:
        """The teacher follows."""
        self.teacher.follow(self._student(), self.config.momentum)

    def _student(self) -> nn.Sequential:
        return nn.Sequential(self.encoder, self.head)
