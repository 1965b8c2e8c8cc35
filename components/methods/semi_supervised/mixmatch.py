"""MixMatch: guesses averaged over views and sharpened become labels, then labels and guesses are mixed.

Berthelot et al. 2019, https://arxiv.org/abs/1905.02249; mixing: Zhang et al. 2018, https://arxiv.org/abs/1710.09412.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.core.device import to_device
from components.methods.contracts import Batch, SemiSupervisedNetwork, StepOutput
from components.methods.precise import precise
from components.methods.sharpen import sharpen
from components.models.encoders import Encoder


class MixMatch(SemiSupervisedNetwork):
    """Cross-entropy where the larger part of a mixture is a labeled picture, squared error where it is a guess."""

    fits = ("pixels", "wave")

    views: tuple[str, ...] = ("weak",)

    class Config(BaseConfig):
        """augmentations: views whose guesses are averaged; temperature: of the sharpening; alpha: of the Beta that
        mixes; weight: of the squared error once it has risen, linearly over the share `ramp` of training.

        The paper's weight of 75 to 100 is for a million steps, the first 16,000 for the rise, and its alpha of 0.75 for
        photographs; a run of hundreds on digits wants less of both (0.2 labeled more of the pool right there, in each
        of three seeds).
        """

        augmentations: int = Field(default=2, ge=1)
        temperature: float = Field(default=0.5, gt=0, le=1)
        alpha: float = Field(default=0.2, gt=0)
        weight: float = Field(default=10.0, ge=0)
        ramp: float = Field(default=0.25, ge=0, le=1)

    def __init__(self, encoder: Encoder, head: nn.Linear, unlabeled: int, config: Config) -> None:
        super().__init__(encoder, head, unlabeled)
        self.config, self.progress = config, 0.0
        self.views = ("weak",) * config.augmentations

    def training_step(self, batch: Batch) -> StepOutput:
        """Labeled pictures take part with all their views too, so that every view has its partner."""
        assert batch.targets is not None
        assert batch.weights is not None
        pictures, count = torch.cat(batch.views), len(batch.views)
        targets = torch.where((batch.weights > 0)[:, None], batch.targets, self._guesses(pictures, count))
        targets, weights = targets.repeat(count, 1), batch.weights.repeat(count)
        order, shares = self._draws(len(pictures), batch.generator)
        order, shares = (to_device(drawn, pictures.device) for drawn in (order, shares))
        mixed, blended = mix(pictures, shares, order), mix(targets, shares, order)
        labeled, unlabeled = mixture_losses(precise(self.logits(mixed)), blended, weights)
        rise = min(self.progress / self.config.ramp, 1.0) if self.config.ramp else 1.0
        return StepOutput(labeled + self.config.weight * rise * unlabeled, {"unlabeled": unlabeled.detach()})

    def after_step(self, progress: float) -> None:
        """The weight goes by the share of training done."""
        self.progress = progress

    @torch.no_grad()
    def _guesses(self, pictures: Tensor, count: int) -> Tensor:
        """`(B, K)`: the sharpened mean over the views of `(count B, C, S, S)` pictures."""
        probabilities = precise(self.logits(pictures)).softmax(1)
        return sharpen(torch.stack(probabilities.chunk(count)).mean(0), self.config.temperature)

    def _draws(self, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Each row's partner, and its own share `max(b, 1 - b)`, `b` of Beta(alpha, alpha): a ratio of two Gammas."""
        alpha = torch.full((2, rows), self.config.alpha, dtype=torch.float64)
        gammas = torch._standard_gamma(alpha, generator=generator)
        gammas = gammas.where(gammas > torch.finfo(gammas.dtype).tiny, 0)  # torch's least, where it is 0 to rounding
        shares = (gammas.amax(0) / gammas.sum(0)).nan_to_num(nan=1.0)  # 0 / 0: so small an alpha mixes nothing
        return torch.randperm(rows, generator=generator), shares.float()


def mix(rows: Tensor, shares: Tensor, order: Tensor) -> Tensor:
    """`s_i row_i + (1 - s_i) row_order(i)`; equations 10 and 11."""
    share = shares.view(-1, *[1] * (rows.dim() - 1)).to(rows)
    return share * rows + (1 - share) * rows[order]


def mixture_losses(logits: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted cross-entropy of the labeled rows, and the mean squared error over classes of those of weight 0.

    logits, targets: `(B, K)`; weights: `(B,)`. Equations 3 and 4; targets are constants.
    """
    targets = targets.detach()
    tiny = torch.finfo(logits.dtype).tiny
    labeled = torch.dot(weights, F.cross_entropy(logits, targets, reduction="none")) / weights.sum().clamp_min(tiny)
    squares, guessed = (logits.softmax(1) - targets).square().mean(1), (weights == 0).to(logits)
    return labeled, torch.dot(guessed, squares) / guessed.sum().clamp_min(1)
