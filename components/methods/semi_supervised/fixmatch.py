"""FixMatch: what the network is sure of in a weak view is the label of the strong one.

Sohn et al. 2020, https://arxiv.org/abs/2001.07685.
"""

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SemiSupervisedNetwork, StepOutput
from components.methods.labeled_loss import labeled_loss
from components.methods.unlabeled_mean import unlabeled_mean
from components.methods.weak_strong import weak_strong
from components.models.encoders import Encoder


class FixMatch(SemiSupervisedNetwork):
    """Cross-entropy of labels, and of confident guesses with the class they favor."""

    views = ("weak", "strong")

    class Config(BaseConfig):
        """threshold: confidence from which a guess counts; weight: of the unlabeled loss. Both are the paper's."""

        threshold: float = Field(default=0.95, ge=0, le=1)
        weight: float = Field(default=1.0, ge=0)

    def __init__(self, encoder: Encoder, head: nn.Linear, unlabeled: int, config: Config) -> None:
        super().__init__(encoder, head, unlabeled)
        self.config = config

    def training_step(self, batch: Batch) -> StepOutput:
        """Both losses; `confident` is the share of unlabeled pictures whose guess counts."""
        logits, guesses = weak_strong(self, batch)
        confident = (guesses.amax(1) >= self.config.threshold).float()
        unlabeled = unlabeled_mean(pseudo_label_losses(logits, guesses, confident), batch)
        loss = labeled_loss(logits, batch) + self.config.weight * unlabeled
        return StepOutput(loss, {"unlabeled": unlabeled.detach(), "confident": unlabeled_mean(confident, batch)})


def pseudo_label_losses(logits: Tensor, guesses: Tensor, confident: Tensor) -> Tensor:
    """`1(confident) CE(argmax guess, logits)` of `(B, K)`, row by row `(B,)`; equation 4."""
    return confident * F.cross_entropy(logits, guesses.argmax(1), reduction="none")
