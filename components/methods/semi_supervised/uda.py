"""UDA: the strong view is to be judged like the weak one, by a guess that is sharpened and must be confident.

Xie et al. 2020, https://arxiv.org/abs/1904.12848.
"""

import math
from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SemiSupervisedNetwork, StepOutput
from components.methods.labeled_loss import labeled_loss
from components.methods.sharpen import sharpen
from components.methods.unlabeled_mean import unlabeled_mean
from components.methods.weak_strong import weak_strong
from components.models.encoders import Encoder

Schedule = Literal["none", "linear", "log", "exp"]


class UDA(SemiSupervisedNetwork):
    """Cross-entropy of labels, and the divergence of the strong view's prediction from the weak view's."""

    views = ("weak", "strong")

    class Config(BaseConfig):
        """threshold: confidence from which a guess counts; temperature: of its sharpening; weight: of the unlabeled
        loss, all the paper's; annealing: of the training signal, which leaves out labels that are already learned.
        """

        threshold: float = Field(default=0.8, ge=0, le=1)
        temperature: float = Field(default=0.4, gt=0, le=1)
        weight: float = Field(default=1.0, ge=0)
        annealing: Schedule = "none"

    def __init__(self, encoder: Encoder, head: nn.Linear, unlabeled: int, config: Config) -> None:
        super().__init__(encoder, head, unlabeled)
        self.config, self.progress = config, 0.0

    def training_step(self, batch: Batch) -> StepOutput:
        """Both losses; `confident` is the share of unlabeled pictures whose guess counts."""
        logits, guesses = weak_strong(self, batch)
        confident = (guesses.amax(1) >= self.config.threshold).float()
        losses = divergences(logits, sharpen(guesses, self.config.temperature))
        unlabeled = unlabeled_mean(confident * losses, batch)
        loss = labeled_loss(logits, self._annealed(batch, logits)) + self.config.weight * unlabeled
        return StepOutput(loss, {"unlabeled": unlabeled.detach(), "confident": unlabeled_mean(confident, batch)})

    def after_step(self, progress: float) -> None:
        """Annealing goes by the share of training done."""
        self.progress = progress

    def _annealed(self, batch: Batch, logits: Tensor) -> Batch:
        """The batch without the labels that are given more probability than this moment allows."""
        if self.config.annealing == "none":
            return batch
        assert batch.targets is not None
        assert batch.weights is not None
        highest = annealed_threshold(self.progress, logits.shape[1], self.config.annealing)
        right = torch.softmax(logits.detach(), dim=1).gather(1, batch.targets.argmax(1, keepdim=True)).squeeze(1)
        return replace(batch, weights=batch.weights * (right <= highest))


def divergences(logits: Tensor, guesses: Tensor) -> Tensor:
    """`KL(guess || softmax(logits))` of `(B, K)`, row by row `(B,)`; equation 1. The guess is a constant."""
    return F.kl_div(logits.log_softmax(1), guesses.detach(), reduction="none").sum(1)


def annealed_threshold(progress: float, classes: int, schedule: Schedule) -> float:
    """From `1 / K` to 1 over training: `a (1 - 1/K) + 1/K`, `a` as the paper's section 3.2 has it for each schedule."""
    shares = {
        "none": 1.0,
        "linear": progress,
        "log": 1 - math.exp(-5 * progress),
        "exp": math.exp(5 * (progress - 1)),
    }
    return shares[schedule] * (1 - 1 / classes) + 1 / classes
