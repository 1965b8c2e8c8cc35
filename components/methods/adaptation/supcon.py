"""SupCon: pictures of one class are drawn together, those of others apart; then the head is solved on what came of it.

Khosla et al. 2020, Supervised contrastive learning, https://arxiv.org/abs/2004.11362
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import AdaptationMethod, Batch, Floats, Positions, StepOutput
from components.methods.precise import precise
from components.models.encoders import Encoder
from components.models.linear_head import fit_linear
from components.models.projection_head import projection_head


class SupCon(AdaptationMethod):
    """Two views of every picture, compared behind a projection head that is thrown away."""

    views: tuple[str, ...] = ("weak", "view", "strong")

    class Config(BaseConfig):
        """temperature: of the cosines; projection: numbers compared; view: policy of both views; l2: of the head."""

        temperature: float = Field(default=0.1, gt=0)
        projection: int = Field(default=128, ge=1, le=65536)
        view: Literal["weak", "view", "strong"] = "view"
        l2: float = Field(default=0.01, gt=0)

    def __init__(self, encoder: Encoder, classes: int, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.projection_head = projection_head(encoder.dim, encoder.dim, config.projection)
        self.head: nn.Module = nn.Linear(encoder.dim, classes).requires_grad_(False)
        self.views = (config.view, config.view)

    def fit_head(self, pool: Floats, rows: Positions, targets: Floats, weights: Floats) -> float:
        """The linear probe of the encoder as it is; steps leave the head alone."""
        self.head, loss = fit_linear(pool, rows, targets, weights, l2=self.config.l2)
        self.head.requires_grad_(False)
        return loss

    def training_step(self, batch: Batch) -> StepOutput:
        """The loss over all 2 B views."""
        assert batch.targets is not None
        assert batch.weights is not None
        outputs = self.projection_head(self.encoder(torch.cat(batch.views)))
        targets, weights = batch.targets.repeat(2, 1), batch.weights.repeat(2)
        return StepOutput(supervised_contrast(outputs, targets, weights, self.config.temperature))

    def finish(self, solve: Callable[[], float]) -> None:
        """The paper's second stage: a linear classifier on the trained encoder."""
        solve()


def supervised_contrast(outputs: Tensor, targets: Tensor, weights: Tensor, temperature: float) -> Tensor:
    """`sum_i w_i L_i / sum_i w_i` with `L_i = -sum_j a_ij log softmax_j(z_i . z_j / T) / sum_j a_ij`, never j = i.

    outputs: `(M, D)` of any length, their directions are z; targets `(M, K)` class distributions; weights `(M,)`.
    a_ij is `w_j target_i . target_j`, the chance that both are of one class: with one class each and equal weights,
    equation 2 (the positives' mean outside of the logarithm).
    """
    with torch.autocast(outputs.device.type, enabled=False):
        outputs = F.normalize(precise(outputs), dim=1)
        itself = torch.eye(len(outputs), dtype=torch.bool, device=outputs.device)
        cosines = (outputs @ outputs.T / temperature).masked_fill(itself, -math.inf)
        log_shares = cosines.log_softmax(1).masked_fill(itself, 0)
        agreement = (targets @ targets.T * weights).masked_fill(itself, 0)
        least = torch.finfo(agreement.dtype).tiny
        losses = -(agreement * log_shares).sum(1) / agreement.sum(1).clamp_min(least)
        return torch.dot(weights, losses) / weights.sum().clamp_min(least)
