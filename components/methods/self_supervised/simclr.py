"""SimCLR: two views of a picture are closer to each other than to every other view in the batch.

Chen et al. 2020, https://arxiv.org/abs/2002.05709.
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.info_nce import PLAIN, HardNegatives, Negatives, info_nce
from components.methods.whole_batch import whole_batch
from components.models.encoders import Encoder
from components.models.projection_head import projection_head

BLOCK = 128  # rows of the similarity matrix at a time: with 2,048 columns a megabyte, what a core's cache holds


class SimCLR(SelfSupervisedMethod):
    """An encoder, a two-layer projection head, and NT-Xent."""

    views = ("view", "view")

    class Config(BaseConfig):
        """temperature: of the softmax over similarities; hidden, projection: widths of the head's layers."""

        temperature: float = Field(default=0.2, ge=0.03)
        hidden: int = Field(default=512, ge=1)
        projection: int = Field(default=128, ge=1)
        hard_negatives: HardNegatives = PLAIN

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = projection_head(encoder.dim, config.hidden, config.projection)
        self.temperature, self.hard_negatives = config.temperature, config.hard_negatives

    def project(self, vectors: Tensor) -> Tensor:
        """The outputs of the head."""
        outputs: Tensor = self.head(vectors)
        return outputs

    def training_step(self, batch: Batch) -> StepOutput:
        """NT-Xent over both views of all workers' samples."""
        first, second = map(whole_batch, self.head(self.encoder(torch.cat(batch.views))).chunk(2))
        if self.hard_negatives == PLAIN:
            return StepOutput(nt_xent(first, second, self.temperature))
        return StepOutput(hard_nt_xent(first, second, self.temperature, self.hard_negatives))


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Mean over all 2N views of `-log(exp(s_ip / T) / sum_{j != i} exp(s_ij / T))`, `s` cosine, `p` the other view.

    first, second: `(N, D)`, row i of both from the same sample, any length; temperature at least 0.03 in float32.
    The paper's equation 1. Loss and gradient are made together, block by block of the similarity matrix's upper
    triangle, which is computed twice rather than kept: memory grows with N, not with its square.
    """
    views = F.normalize(torch.cat([first, second]), dim=1)
    loss: Tensor = _NTXent.apply(views, temperature)
    return loss


def hard_nt_xent(first: Tensor, second: Tensor, temperature: float, hard: HardNegatives) -> Tensor:
    """NT-Xent with hard negatives weighted as `info_nce` says; memory grows with the square of N."""
    views = torch.cat([first, second])
    partners = views.roll(len(first), 0)
    numbers = torch.arange(len(first), device=views.device).repeat(2)
    return info_nce(views, partners, Negatives(views, numbers != numbers[:, None]), temperature, hard)


class _NTXent(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, views: Tensor, temperature: float) -> Tensor:
        with torch.autocast(views.device.type, enabled=False):
            loss, gradient = _loss_and_gradient(views, 1 / temperature)
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * gradients[0], None


def _loss_and_gradient(views: Tensor, inverse: float) -> tuple[Tensor, Tensor]:
    """The loss of `views` `(2N, D)` of length 1, and its gradient, given 1 / T.

    With `e_ij = exp((s_ij - 1) / T)`, `e_ii = 0` and row sums `t_i`, row i of the gradient is
    `(sum_j e_ij (1 / t_i + 1 / t_j) z_j - 2 z_p) / (2 N T)`.
    """
    count = len(views)
    scaled, shift = views * inverse, views.new_tensor(-inverse)  # exp(x - 1/T) cannot overflow
    buffer = views.new_empty(BLOCK * count)
    totals, gradient = views.new_zeros(count), torch.zeros_like(views)

    def exponentials(start: int) -> Tensor:  # (rows of the block, columns from `start` on)
        rows, columns = min(BLOCK, count - start), count - start
        block = buffer[: rows * columns].view(rows, columns)
        torch.addmm(shift, scaled[start : start + rows], views[start:].T, out=block).exp_()
        block.diagonal().zero_()
        return block

    for start in range(0, count, BLOCK):
        block = exponentials(start)
        rows = len(block)
        totals[start : start + rows] += block.sum(1)
        totals[start + rows :] += block[:, rows:].sum(0)
    parts = 1 / totals
    for start in range(0, count, BLOCK):
        block = exponentials(start)
        rows = len(block)
        block *= parts[start : start + rows, None] + parts[start:]
        gradient[start : start + rows].addmm_(block, views[start:])
        gradient[start + rows :].addmm_(block[:, rows:].T, views[start : start + rows])
    partners = views.roll(count // 2, 0)
    loss = totals.log().mean() + inverse * (1 - (views * partners).sum(1).mean())
    return loss, gradient.sub_(partners, alpha=2).mul_(inverse / count)
