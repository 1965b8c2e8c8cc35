"""SwAV: one view of a picture predicts which prototypes another was given, when all prototypes must be used evenly.

Caron et al. 2020, https://arxiv.org/abs/2006.09882.
"""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.multi_crop import encode_crops
from components.methods.whole_batch import whole_batch
from components.models.encoders import Encoder
from components.models.projection_head import projection_head
from components.models.prototype_layer import PrototypeLayer

WHOLE = 2  # views that codes are made of


class SwAV(SelfSupervisedMethod):
    """An encoder, a projection head, prototypes of length 1, and codes by optimal transport; no negatives."""

    views: tuple[str, ...] = ("view", "local")

    class Config(BaseConfig):
        """How codes are made and predicted.

        local_views: small ones per picture, which only predict; temperature: of predictions; epsilon: of codes, softer
        where it is higher; iterations: of Sinkhorn's algorithm; queue: outputs of earlier samples that help to spread
        the codes once it is full (a batch is then enough that is smaller than `prototypes`), 0 for none; hidden,
        projection: widths of the head's layers.

        The paper's 3,000 prototypes and head of 2,048 are for ImageNet, and its 6 small views for a larger machine.
        """

        local_views: int = Field(default=2, ge=0, le=16)
        prototypes: int = Field(default=128, ge=2)
        temperature: float = Field(default=0.1, ge=0.03)
        epsilon: float = Field(default=0.03, ge=0.03)
        iterations: int = Field(default=3, ge=1)
        queue: int = Field(default=0, ge=0)
        hidden: int = Field(default=512, ge=1)
        projection: int = Field(default=128, ge=1)

    queue: Tensor

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.views = ("view", "view", *("local" for _ in range(config.local_views)))
        self.head = projection_head(encoder.dim, config.hidden, config.projection)
        self.prototypes = PrototypeLayer(config.projection, config.prototypes)
        self.register_buffer("queue", torch.zeros(config.queue, WHOLE, config.projection))  # newest first

    def project(self, vectors: Tensor) -> Tensor:
        """The outputs of the head."""
        outputs: Tensor = self.head(vectors)
        return outputs

    def training_step(self, batch: Batch) -> StepOutput:
        """Codes of the first two views of all workers' samples, predicted by every other view."""
        outputs = self.head(encode_crops(self.encoder, batch.views)).unflatten(0, (len(batch.views), -1))
        outputs = whole_batch(outputs.transpose(0, 1))  # (W B, V, D)
        scores = self.prototypes(outputs.flatten(0, 1)).unflatten(0, outputs.shape[:2]).transpose(0, 1)
        with torch.autocast(scores.device.type, enabled=False):
            codes = self._codes(scores[:WHOLE].detach(), outputs[:, :WHOLE].detach())
            return StepOutput(swapped_prediction(scores, codes, self.config.temperature))

    def after_step(self, progress: float) -> None:
        """Prototypes have length 1."""
        self.prototypes.normalize()

    @torch.no_grad()
    def _codes(self, scores: Tensor, outputs: Tensor) -> Tensor:
        """Codes `(2, N, K)` for scores `(2, N, K)`, spread over the queue too; outputs `(N, 2, D)` then join it."""
        count = scores.shape[1]
        if len(self.queue) and self.queue[-1].any():  # full
            earlier = self.prototypes(self.queue.flatten(0, 1)).unflatten(0, (-1, WHOLE)).transpose(0, 1)
            scores = torch.cat([scores, earlier], 1)
        codes = torch.stack([sinkhorn(view, self.config.epsilon, self.config.iterations)[:count] for view in scores])
        if len(self.queue):
            self.queue.copy_(torch.cat([outputs, self.queue])[: len(self.queue)])
        return codes


def sinkhorn(scores: Tensor, epsilon: float, iterations: int) -> Tensor:
    """Codes `(N, K)` of cosines `(N, K)`: rows sum to 1, columns nearly to N / K, as near to the scores as that allows.

    `Diag(u) exp(scores / epsilon) Diag(v)`: the paper's equations 3 to 5, u and v found by scaling columns and rows in
    turn. epsilon at least 0.03 in float32.
    """
    codes = ((scores - scores.max()) / epsilon).exp()
    for _ in range(iterations):
        codes = codes / codes.sum(0)
        codes = codes / codes.sum(1, keepdim=True)
    return codes


def swapped_prediction(scores: Tensor, codes: Tensor, temperature: float) -> Tensor:
    """Mean over codes, all views but the codes' own, and samples, of `-sum_k q_k log softmax(scores / T)_k`.

    scores: `(V, N, K)` cosines of V views with prototypes; codes: `(2, N, K)` of the first two. The paper's equation 2,
    and with more than two views its equation 6.
    """
    predicted = F.log_softmax(scores / temperature, dim=2)
    losses = -torch.einsum("cnk,vnk->cv", codes, predicted) / scores.shape[1]
    return (losses.sum() - losses.diagonal().sum()) / (len(codes) * (len(scores) - 1))
