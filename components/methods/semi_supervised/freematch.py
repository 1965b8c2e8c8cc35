"""FreeMatch: FixMatch with thresholds that follow the network's own confidence, and a pull toward fair guesses.

Wang et al. 2023, https://arxiv.org/abs/2205.07246.
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


class FreeMatch(SemiSupervisedNetwork):
    """All thresholds start at chance and rise with running means over the unlabeled pictures' weak views."""

    views = ("weak", "strong")
    confidence: Tensor  # (): tau, running mean of the highest probability; equation 5
    expected: Tensor  # (K,): p~, running mean of the probabilities; equation 6
    guessed: Tensor  # (K,): h~, running mean of the share of guesses of each class; equation 10

    class Config(BaseConfig):
        """weight: of the unlabeled loss; fairness: weight of the fairness loss, both the paper's; decay: of the means.

        The paper's decay is 0.999 over a million steps; a run of hundreds wants a mean over fewer.
        """

        weight: float = Field(default=1.0, ge=0)
        fairness: float = Field(default=0.05, ge=0)
        decay: float = Field(default=0.99, ge=0, lt=1)

    def __init__(self, encoder: Encoder, head: nn.Linear, unlabeled: int, config: Config) -> None:
        super().__init__(encoder, head, unlabeled)
        self.config, classes = config, head.out_features
        self.register_buffer("confidence", torch.tensor(1 / classes))
        self.register_buffer("expected", torch.full((classes,), 1 / classes))
        self.register_buffer("guessed", torch.full((classes,), 1 / classes))

    def training_step(self, batch: Batch) -> StepOutput:
        """The batch counts for the means first, then meets the thresholds they give: equations 8 and 12."""
        logits, guesses = weak_strong(self, batch)
        confidence, classes = guesses.max(1)
        self._follow(batch, guesses)
        thresholds = class_thresholds(self.confidence, self.expected)
        confident = (confidence > thresholds[classes]).to(guesses)
        unlabeled = unlabeled_mean(confident * F.cross_entropy(logits, classes, reduction="none"), batch)
        assert batch.weights is not None
        counts = confident * (batch.weights == 0)
        fairness = fairness_loss(logits.softmax(1), counts, self.expected, self.guessed)
        loss = labeled_loss(logits, batch) + self.config.weight * unlabeled + self.config.fairness * fairness
        metrics = {"confident": unlabeled_mean(confident, batch), "highest_threshold": self.confidence.clone()}
        return StepOutput(loss, {"unlabeled": unlabeled.detach(), "fairness": fairness.detach(), **metrics})

    def _follow(self, batch: Batch, guesses: Tensor) -> None:
        """Equations 5, 6 and 10; a batch without an unlabeled row changes nothing."""
        assert batch.weights is not None
        rows = (batch.weights == 0).to(guesses)
        step = (1 - self.config.decay) * rows.amax()
        means = rows / rows.sum().clamp_min(1)
        confidence, classes = guesses.max(1)
        hits = F.one_hot(classes, guesses.shape[1]).to(guesses)
        self.confidence += step * (means @ confidence - self.confidence)
        self.expected += step * (means @ guesses - self.expected)
        self.guessed += step * (means @ hits - self.guessed)


def class_thresholds(confidence: Tensor, expected: Tensor) -> Tensor:
    """`(K,)`: `tau p~_c / max p~`, so the class most expected has the threshold `tau`; equation 7.

    confidence: `tau`, a scalar in 1/K to 1; expected: `p~`, `(K,)`.
    """
    return confidence * expected / expected.max()


def fairness_loss(probabilities: Tensor, counts: Tensor, expected: Tensor, guessed: Tensor) -> Tensor:
    """`-H(SumNorm(p~ / h~), SumNorm(p- / h-))`, the negative cross-entropy of equation 11; 0 where no row counts.

    probabilities: `(B, K)` of the strong views; their sum `p-`, and how many favor each class, `h-`, are taken over the
    rows that count (equation 9); counts: `(B,)` 0 or 1; expected, guessed: `(K,)`, the running means `p~` and `h~`.
    A class that no row favors has no `p- / h-`, and is left out of the sum.
    """
    hits = counts @ F.one_hot(probabilities.argmax(1), probabilities.shape[1]).to(probabilities)
    found = hits > 0
    ratios = torch.where(found, counts @ probabilities / hits.clamp_min(1), 0)
    shares = ratios / ratios.sum().clamp_min(torch.finfo(ratios.dtype).tiny)
    wanted = F.normalize(expected / guessed.clamp_min(torch.finfo(guessed.dtype).tiny), p=1, dim=0)
    return (wanted * torch.where(found, shares, 1).log()).sum()
