"""Prototypes: learned directions that outputs are compared with, in place of a classifier's last layer.

Caron et al. 2020, SwAV, https://arxiv.org/abs/2006.09882; Caron et al. 2021, DINO, https://arxiv.org/abs/2104.14294
(there: a weight-normalized last layer whose lengths are fixed at 1; Salimans & Kingma 2016,
https://arxiv.org/abs/1602.07868).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PrototypeLayer(nn.Module):
    """`(N, dim)` of any length -> `(N, count)` cosines with each prototype."""

    def __init__(self, dim: int, count: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(F.normalize(torch.randn(count, dim), dim=1))

    def forward(self, outputs: Tensor) -> Tensor:
        """Only directions matter, of outputs and prototypes alike; at least float32."""
        outputs = outputs.to(torch.promote_types(outputs.dtype, self.directions.dtype))
        with torch.autocast(outputs.device.type, enabled=False):
            return F.normalize(outputs, dim=1) @ F.normalize(self.directions, dim=1).T

    @torch.no_grad()
    def normalize(self) -> None:
        """Give them length 1 again: with what a step added to it, the next step would turn them less."""
        self.directions.copy_(F.normalize(self.directions, dim=1))
