"""Noisy student: a network labels the pool undisturbed, and its successor learns that under noise; round by round.

Xie et al. 2020, https://arxiv.org/abs/1911.04252; stochastic depth: Huang et al. 2016, https://arxiv.org/abs/1603.09382.
"""

from collections.abc import Callable
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SemiSupervisedNetwork, StepOutput
from components.methods.growing import make_growing
from components.methods.labeled_loss import labeled_loss
from components.methods.precise import precise
from components.methods.unlabeled_mean import unlabeled_mean
from components.models.encoders import Encoder


class NoisyStudent(SemiSupervisedNetwork):
    """The first round is the teacher's, on labels alone; each student begins where the teacher began, and is larger.

    The noise: strong views, dropout before the head, and residual blocks left out at random. The paper's students are
    wider networks, trained from random weights; these have more residual blocks, which begin as copies that change
    nothing, so that a student may start from pretrained weights (see `make_growing`).
    """

    views = ("strong",)
    guesses: Tensor  # (unlabeled + 1, K): what the teacher said; nothing in the first round, and of labeled pictures

    class Config(BaseConfig):
        """students: rounds after the first; threshold: confidence from which a guess counts; soft: learn the guess in
        place of its class; dropout: of the encoder's vector; survival: of the last residual block,
        the earlier the nearer to 1; grow: residual blocks that a student has more than its teacher, 0 where the
        encoder has none that keeps a shape.

        All but the last are the paper's.
        """

        students: int = Field(default=3, ge=0)
        threshold: float = Field(default=0.3, ge=0, le=1)
        soft: bool = True
        dropout: float = Field(default=0.5, ge=0, lt=1)
        survival: float = Field(default=0.8, gt=0, le=1)
        grow: int = Field(default=1, ge=0)

        def unused(self) -> dict[str, str]:
            """As the base says."""
            return {} if self.students else dict.fromkeys(("threshold", "soft", "grow"), "students is 0")

    def __init__(self, encoder: Encoder, head: nn.Linear, unlabeled: int, config: Config) -> None:
        super().__init__(encoder, head, unlabeled)
        self.config, self.rounds, self.teaches = config, 1 + config.students, False
        blocks = encoder.block_list()
        for number, block in enumerate(blocks):
            block.register_forward_hook(_stochastic_depth(1 - (number + 1) / len(blocks) * (1 - config.survival)))
        self.growing = make_growing(encoder, config.students * config.grow)
        self.beginning = {key: value.clone() for key, value in self.state_dict().items()}
        self.register_buffer("guesses", torch.zeros(unlabeled + 1, head.out_features))

    def logits(self, pictures: Tensor) -> Tensor:
        """With dropout in between, while it trains."""
        scores: Tensor = self.head(F.dropout(self.encoder(pictures), self.config.dropout, self.training))
        return scores

    def training_step(self, batch: Batch) -> StepOutput:
        """Cross-entropy of labels, and of what the teacher said of the unlabeled pictures as they are."""
        logits = precise(self.logits(batch.views[0]))
        guesses = self.guesses[batch.keys.clamp_max(self.unlabeled)]
        unlabeled = unlabeled_mean(F.cross_entropy(logits, guesses, reduction="none"), batch)
        taught = unlabeled_mean(guesses.sum(1), batch)
        return StepOutput(labeled_loss(logits, batch) + unlabeled, {"unlabeled": unlabeled.detach(), "taught": taught})

    def before_round(self, number: int) -> None:
        """From the second round on, what was trained is the teacher; what its student has more changes nothing yet."""
        self.teaches = number > 0
        if self.growing:
            self.growing.grow(number * self.config.grow)

    @torch.no_grad()
    def before_epoch(self, vectors: Callable[[], Tensor], generator: torch.Generator) -> None:
        """At a round's beginning the teacher labels the pool, then the student takes its place."""
        if not self.teaches:
            return
        said = precise(self.head(vectors()[: self.unlabeled])).softmax(1)
        self.guesses[:-1] = lessons(said, self.config.threshold, soft=self.config.soft)
        self.load_state_dict(self.beginning, strict=False)
        self.teaches = False


def lessons(said: Tensor, threshold: float, *, soft: bool) -> Tensor:
    """`(U, K)` targets of the student: the distribution or its likeliest class, zeros where that is improbable."""
    targets = said if soft else F.one_hot(said.argmax(1), said.shape[1]).to(said)
    return targets * (said.amax(1, keepdim=True) >= threshold)


def _stochastic_depth(survival: float) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    """Each row passes a block that keeps its shape with probability `survival`, its residual scaled up, or skips it."""

    def hook(block: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        if not block.training or survival == 1 or inputs[0].shape != output.shape:
            return output
        passes = torch.rand(len(output), *[1] * (output.dim() - 1), device=output.device) < survival
        thinned: Tensor = inputs[0] + (output - inputs[0]) * passes / survival
        return thinned

    return hook
