"""Rotation: by how many quarter turns was the picture turned? Who can say knows what is up in it.

Gidaris, Singh & Komodakis 2018, https://arxiv.org/abs/1803.07728.
"""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.models.encoders import Encoder
from components.models.projection_head import projection_head

TURNS = 4


class Rotation(SelfSupervisedMethod):
    """An encoder and a head that tells the four turns apart; all four of every picture are in the batch.

    One weak view: the paper shifts and mirrors. The paper's best vectors come out of the middle of its network, for the
    last layers keep little but the turn; the encoder is used up to its end here, so the head is two layers deep.
    """

    fits = ("pixels",)

    views = ("weak",)

    class Config(BaseConfig):
        """hidden: width of the head's two hidden layers."""

        hidden: int = Field(default=512, ge=1)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = projection_head(encoder.dim, config.hidden, config.hidden, TURNS)

    def training_step(self, batch: Batch) -> StepOutput:
        """The mean over pictures and turns; figures: how many turns were recognized."""
        logits = self.head(self.encoder(four_rotations(batch.views[0])))
        recognized = logits.argmax(1) == _turns(logits)
        return StepOutput(rotation_loss(logits), {"recognized": recognized.float().mean()})


def four_rotations(pictures: Tensor) -> Tensor:
    """`(N, C, S, S)` -> `(4 N, C, S, S)`: all pictures as they are, then all turned left once, twice, three times."""
    return torch.cat([pictures.rot90(turn, (2, 3)) for turn in range(TURNS)])


def rotation_loss(logits: Tensor) -> Tensor:
    """Mean cross-entropy of `(4 N, 4)` logits, rows in the order of `four_rotations`: the paper's equations 2 and 3."""
    precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return F.cross_entropy(precise, _turns(logits))


def _turns(logits: Tensor) -> Tensor:
    return torch.arange(TURNS, device=logits.device).repeat_interleave(len(logits) // TURNS)
