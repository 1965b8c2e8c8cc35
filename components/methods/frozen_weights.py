"""Adaptation that keeps the encoder's own weights: what a method adds to them learns, and the head with it."""

from typing import Literal

from pydantic import Field
from torch import nn

from components.core.config import Config as BaseConfig
from components.methods.contracts import AdaptationMethod, Batch, Floats, Positions, StepOutput
from components.methods.labeled_loss import labeled_loss
from components.models.encoders import Encoder
from components.models.linear_head import fit_linear


class FrozenWeights(AdaptationMethod):
    """Cross-entropy as in full fine-tuning; a subclass adds what learns to `self.encoder` once this is constructed."""

    views: tuple[str, ...] = ("weak", "view", "strong")

    class Config(BaseConfig):
        """view: augmentation policy of the pictures; l2: of the probe that the head starts from."""

        view: Literal["weak", "view", "strong"] = "weak"
        l2: float = Field(default=0.01, gt=0)

    def __init__(self, encoder: Encoder, classes: int, config: Config) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
        self.head: nn.Module = nn.Linear(encoder.dim, classes)
        self.l2, self.views = config.l2, (config.view,)

    def fit_head(self, pool: Floats, rows: Positions, targets: Floats, weights: Floats) -> float:
        """Start the head at the linear probe's solution."""
        self.head, loss = fit_linear(pool, rows, targets, weights, l2=self.l2)
        return loss

    def training_step(self, batch: Batch) -> StepOutput:
        """Weighted mean over the batch of the cross-entropy."""
        return StepOutput(labeled_loss(self.head(self.encoder(batch.views[0])), batch))

    def train(self, mode: bool = True) -> "FrozenWeights":
        """As always, but batch norms go on with the statistics they were pretrained with."""
        super().train(mode)
        self.encoder.eval()
        return self
