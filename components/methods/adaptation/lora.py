"""LoRA: every layer's weights get an update of low rank, added to them for good when training has ended.

Hu et al. 2021, LoRA: Low-rank adaptation of large language models, https://arxiv.org/abs/2106.09685
"""

from collections.abc import Callable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import parametrize

from components.core.errors import WinnowError
from components.methods.frozen_weights import FrozenWeights
from components.models.encoders import Encoder

UPDATED = {nn.Linear: "weight", nn.Conv2d: "weight", nn.MultiheadAttention: "in_proj_weight"}


class LoRA(FrozenWeights):
    """Linear layers and convolutions, these as linear layers over patches; the encoder's file is like any other's."""

    class Config(FrozenWeights.Config):
        """rank: of the updates, at most a layer's own; alpha: an update counts alpha / rank (both: RoBERTa's)."""

        rank: int = Field(default=8, ge=1, le=4096)
        alpha: float = Field(default=8.0, gt=0)

    def __init__(self, encoder: Encoder, classes: int, config: Config) -> None:
        super().__init__(encoder, classes, config)
        if not _layers(encoder):
            raise WinnowError(
                f"finetune.method lora: {type(encoder).__name__} has no layer that it updates, linear or convolution: "
                "choose linear_probe or full."
            )
        for layer, name in _layers(encoder):
            update = LowRank(getattr(layer, name), config.rank, config.alpha)
            parametrize.register_parametrization(layer, name, update)

    def finish(self, solve: Callable[[], float]) -> None:
        """`W + alpha / rank B A` becomes the weight; A and B are no more."""
        for layer, name in _layers(self.encoder):
            parametrize.remove_parametrizations(layer, name)


class LowRank(nn.Module):
    """Weights `W` `(O, ...)` -> `W + alpha / rank B A`, A `(rank, I)` random, B `(O, rank)` zero at first."""

    def __init__(self, weight: Tensor, rank: int, alpha: float) -> None:
        super().__init__()
        outputs, inputs = weight.flatten(1).shape
        own = min(rank, outputs, inputs)
        self.scale = alpha / rank
        self.first = nn.Parameter(torch.randn(own, inputs) * inputs**-0.5)
        self.second = nn.Parameter(torch.zeros(outputs, own))

    def forward(self, weight: Tensor) -> Tensor:
        """As the class says."""
        return weight + self.scale * (self.second @ self.first).view(weight.shape)


def _layers(encoder: nn.Module) -> list[tuple[nn.Module, str]]:
    """Layers and the names of their weights."""
    modules = list(encoder.modules())
    return [(module, name) for module in modules for kind, name in UPDATED.items() if isinstance(module, kind)]
