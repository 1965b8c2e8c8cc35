"""Triplet: every picture nearer to its class than to any other by a margin; then the head is solved on what came of it.

Schroff, Kalenichenko & Philbin 2015, FaceNet, https://arxiv.org/abs/1503.03832 (semi-hard negatives: section 3.2)
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


class Triplet(AdaptationMethod):
    """The triplet loss on the directions of the encoder's own vectors, negatives sought in the batch."""

    views: tuple[str, ...] = ("weak", "view", "strong")

    class Config(BaseConfig):
        """margin: between squared distances of unit vectors, 0 to 4; view: policy of the pictures; l2: of the head."""

        margin: float = Field(default=0.2, gt=0, lt=4)
        view: Literal["weak", "view", "strong"] = "view"
        l2: float = Field(default=0.01, gt=0)

    def __init__(self, encoder: Encoder, classes: int, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.head: nn.Module = nn.Linear(encoder.dim, classes).requires_grad_(False)
        self.views = (config.view,)

    def fit_head(self, pool: Floats, rows: Positions, targets: Floats, weights: Floats) -> float:
        """The linear probe of the encoder as it is; steps leave the head alone."""
        self.head, loss = fit_linear(pool, rows, targets, weights, l2=self.config.l2)
        self.head.requires_grad_(False)
        return loss

    def training_step(self, batch: Batch) -> StepOutput:
        """The loss, and as `active` the share of pairs that do not keep the margin yet."""
        assert batch.targets is not None
        assert batch.weights is not None
        losses, weights = triplet_losses(
            self.encoder(batch.views[0]), batch.targets.argmax(1), batch.weights, self.config.margin
        )
        total = weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)
        active = (weights * (losses.detach() > 0)).sum() / total
        return StepOutput((weights * losses).sum() / total, {"active": active})

    def finish(self, solve: Callable[[], float]) -> None:
        """Distances classify nothing yet: the head is solved on the trained encoder's vectors."""
        solve()


def triplet_losses(vectors: Tensor, classes: Tensor, weights: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """`max(0, d_ap - d_an + margin)` for each anchor a and positive p, `(B, B)`, and their weights `w_a w_p`.

    vectors: `(B, D)`, their directions count; classes `(B,)`; weights `(B,)`. d: squared distances. The negative n is
    the nearest of those farther than p; where none is, the farthest there is. Pairs of two classes, of a sample with
    itself and of anchors without any negative weigh 0.
    """
    with torch.autocast(vectors.device.type, enabled=False):
        unit = F.normalize(precise(vectors), dim=1)
        distances = 2 - 2 * unit @ unit.T
        other = classes[:, None] != classes
        negatives = distances.masked_fill(~other, math.inf).sort(1).values
        farther = torch.searchsorted(negatives.detach(), distances.detach().contiguous(), right=True)
        chosen = negatives.gather(1, farther.minimum(other.sum(1, keepdim=True) - 1).clamp_min(0))
        pairs = weights[:, None] * weights * ~other * other.any(1, keepdim=True)
        pairs = pairs.masked_fill(torch.eye(len(unit), dtype=torch.bool, device=unit.device), 0)
        losses = (distances - chosen + margin).relu()
        return torch.where(pairs > 0, losses, 0), pairs
