"""FlexMatch: FixMatch with a threshold for each class, lower while the network has learned little of it.

Zhang et al. 2021, https://arxiv.org/abs/2110.08263.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SemiSupervisedNetwork, StepOutput
from components.methods.labeled_loss import labeled_loss
from components.methods.unlabeled_mean import unlabeled_mean
from components.methods.weak_strong import weak_strong
from components.models.encoders import Encoder


class FlexMatch(SemiSupervisedNetwork):
    """What a class has learned is how many unlabeled pictures were last guessed to be of it with confidence."""

    views = ("weak", "strong")
    learned: (
        Tensor  # (unlabeled + 1,): each picture's class by its last confident guess, -1 before; a place for the rest
    )

    class Config(BaseConfig):
        """threshold: of the class that has learned most; weight: of the unlabeled loss. Both are the paper's."""

        threshold: float = Field(default=0.95, ge=0, le=1)
        weight: float = Field(default=1.0, ge=0)

    def __init__(self, encoder: Encoder, head: nn.Linear, unlabeled: int, config: Config) -> None:
        super().__init__(encoder, head, unlabeled)
        self.config = config
        self.register_buffer("learned", torch.full((unlabeled + 1,), -1))

    def training_step(self, batch: Batch) -> StepOutput:
        """Thresholds from what was learned before this batch; then the batch is remembered."""
        logits, guesses = weak_strong(self, batch)
        confidence, classes = guesses.max(1)
        thresholds = class_thresholds(self.learned[:-1], logits.shape[1], self.config.threshold)
        self._remember(batch, confidence, classes)
        confident = (confidence >= thresholds[classes]).float()
        unlabeled = unlabeled_mean(confident * F.cross_entropy(logits, classes, reduction="none"), batch)
        loss = labeled_loss(logits, batch) + self.config.weight * unlabeled
        metrics = {"confident": unlabeled_mean(confident, batch), "lowest_threshold": thresholds.min()}
        return StepOutput(loss, {"unlabeled": unlabeled.detach(), **metrics})

    def _remember(self, batch: Batch, confidence: Tensor, classes: Tensor) -> None:
        assert batch.weights is not None
        counts = (batch.weights == 0) & (confidence >= self.config.threshold)
        self.learned[torch.where(counts, batch.keys, self.unlabeled)] = classes


def class_thresholds(learned: Tensor, classes: int, threshold: float) -> Tensor:
    """`(K,)`: `M(beta_c) threshold`, `beta_c = n_c / max(max n, n_none)` and `M(x) = x / (2 - x)`; equations 7, 10, 11.

    learned: `(U,)` the class each unlabeled picture counts for, -1 for none. n_c: how many count for class c.
    """
    counts = (learned + 1).bincount(minlength=classes + 1).float()
    beta = counts[1:] / counts.max().clamp_min(1)
    return threshold * beta / (2 - beta)
