"""Adapters: a small bottleneck behind each block learns, with the norms' scales; the blocks stay as they are.

Houlsby et al. 2019, Parameter-efficient transfer learning for NLP, https://arxiv.org/abs/1902.00751; for convolutions
Rebuffi et al. 2017, https://arxiv.org/abs/1705.08045
"""

from pydantic import Field
from torch import nn

from components.methods.frozen_weights import FrozenWeights
from components.models.adapters import add_adapters
from components.models.encoders import Encoder

NORMS = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm2d)


class Adapters(FrozenWeights):
    """As `models/adapters.py` says; the encoder's file tells that they are there."""

    class Config(FrozenWeights.Config):
        """bottleneck: numbers between an adapter's layers (the paper's 64)."""

        bottleneck: int = Field(default=64, ge=1, le=4096)

    def __init__(self, encoder: Encoder, classes: int, config: Config) -> None:
        super().__init__(encoder, classes, config)
        add_adapters(encoder, config.bottleneck)
        for module in encoder.modules():
            if isinstance(module, NORMS):
                module.requires_grad_(True)
