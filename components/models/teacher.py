"""The slow copy of a network that its student learns from: it follows by moving average, never by gradient.

He et al. 2020, MoCo, https://arxiv.org/abs/1911.05722 (momentum encoder); Grill et al. 2020, BYOL,
https://arxiv.org/abs/2006.07733 (momentum that rises to 1 by half a cosine).
"""

import copy
import math

import torch
from torch import Tensor, nn


class Teacher(nn.Module):
    """`network` begins as the student's copy; its batch norms see its own batches."""

    def __init__(self, student: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(student).requires_grad_(False)

    @torch.no_grad()
    def forward(self, inputs: Tensor) -> Tensor:
        """What the network gives, without gradient."""
        outputs: Tensor = self.network(inputs)
        return outputs

    @torch.no_grad()
    def follow(self, student: nn.Module, momentum: float) -> None:
        """Move every parameter towards the student's by `1 - momentum`."""
        own: list[Tensor] = list(self.network.parameters())
        other = [parameter.detach() for parameter in student.parameters()]
        torch._foreach_lerp_(own, other, 1 - momentum)


def rising(start: float, progress: float) -> float:
    """Momentum after a share `progress` of training, in (0, 1]: from `start` to 1 by half a cosine (BYOL, 3.3)."""
    return 1 - (1 - start) * (math.cos(math.pi * progress) + 1) / 2
