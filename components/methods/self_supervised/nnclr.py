"""NNCLR: a picture's positive is another picture, the nearest in a queue, so that alike ones meet.

Dwibedi et al. 2021, https://arxiv.org/abs/2104.14548.
"""

import math

import torch
from pydantic import Field
from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.info_nce import PLAIN, HardNegatives, Negatives, info_nce
from components.methods.queue import Queue, of_others
from components.methods.whole_batch import whole_batch
from components.models.encoders import Encoder
from components.models.projection_head import projection_head


class NNCLR(SelfSupervisedMethod):
    """An encoder, a three-layer projection head, a predictor, and the support queue of the first views' projections.

    Where the data are few the queue holds a picture's own older vectors: they are no neighbors.
    """

    views = ("view", "view")

    class Config(BaseConfig):
        """temperature: of the softmax; queue: projections to look for neighbors in; hidden, projection: widths.

        The paper's: 0.1, 98,304, 2,048 (4,096 in the predictor) and 256.
        """

        temperature: float = Field(default=0.1, ge=0.03)
        queue: int = Field(default=1024, ge=1)
        hidden: int = Field(default=512, ge=1)
        projection: int = Field(default=128, ge=1)
        hard_negatives: HardNegatives = PLAIN

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.head = nn.Sequential(
            projection_head(encoder.dim, config.hidden, config.hidden, config.projection),
            nn.BatchNorm1d(config.projection),
        )
        self.predictor = projection_head(config.projection, config.hidden, config.projection)
        self.queue = Queue(config.queue, config.projection)

    def project(self, vectors: Tensor) -> Tensor:
        """The outputs of the head."""
        outputs: Tensor = self.head(vectors)
        return outputs

    def training_step(self, batch: Batch) -> StepOutput:
        """The neighbors of each view against the predictions from the other, over all workers' samples."""
        numbers = whole_batch(batch.keys)
        projections = self.head(self.encoder(torch.cat(batch.views)))
        predictions = [whole_batch(rows) for rows in self.predictor(projections).chunk(2)]
        first, second = (whole_batch(rows) for rows in projections.detach().chunk(2))
        loss = self._loss(nearest_in_queue(first, numbers, self.queue), predictions[1])
        loss = (loss + self._loss(nearest_in_queue(second, numbers, self.queue), predictions[0])) / 2
        self.queue.push(nn.functional.normalize(first), numbers)
        return StepOutput(loss)

    def _loss(self, neighbors: Tensor, predictions: Tensor) -> Tensor:
        """Equation 3: all other predictions of the batch are negatives."""
        others = ~torch.eye(len(predictions), dtype=torch.bool, device=predictions.device)
        negatives = Negatives(predictions, others)
        return info_nce(neighbors, predictions, negatives, self.config.temperature, self.config.hard_negatives)


@torch.no_grad()
def nearest_in_queue(vectors: Tensor, keys: Tensor, queue: Queue) -> Tensor:
    """`(N, D)`: for each row the vector in `queue` of highest cosine, of another sample; itself where there is none."""
    allowed = of_others(keys, queue.keys)
    with torch.autocast(vectors.device.type, enabled=False):
        similarity = vectors @ queue.vectors.to(vectors.dtype).T
    chosen = queue.vectors[similarity.masked_fill(~allowed, -math.inf).argmax(1)].to(vectors.dtype)
    return torch.where(allowed.any(1, keepdim=True), chosen, vectors)
