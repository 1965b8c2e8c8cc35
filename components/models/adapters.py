"""Adapters: small bottlenecks behind an encoder's blocks, which say nothing until they are trained.

Houlsby et al. 2019, https://arxiv.org/abs/1902.00751, one behind each block (Pfeiffer et al. 2021,
https://arxiv.org/abs/2005.00247); for maps of features, 1x1 convolutions (Rebuffi et al. 2017,
https://arxiv.org/abs/1705.08045).
"""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from components.core.errors import WinnowError
from components.models.block_shapes import block_shapes
from components.models.encoders import Encoder


class Adapter(nn.Module):
    """`x + up(relu(down(x)))` at each token `(N, L, width)` or place `(N, width, S, S)`; `up` is 0 at first."""

    def __init__(self, width: int, bottleneck: int, *, maps: bool) -> None:
        super().__init__()
        self.down: nn.Module = nn.Conv2d(width, bottleneck, 1) if maps else nn.Linear(width, bottleneck)
        self.up: nn.Module = nn.Conv2d(bottleneck, width, 1) if maps else nn.Linear(bottleneck, width)
        for parameter in self.up.parameters():
            nn.init.zeros_(parameter)

    def forward(self, values: Tensor) -> Tensor:
        """As the class says."""
        change: Tensor = self.up(F.relu(self.down(values)))
        return values + change


def add_adapters(encoder: Encoder, bottleneck: int) -> None:
    """Put an adapter behind every block of `encoder`; its other weights keep their names.

    Raises WinnowError where there are no blocks, or what comes out of them is neither tokens nor maps.
    """
    found = [(block, shape) for block, _, shape in block_shapes(encoder)]
    if not found or any(not (len(shape) == 3 or (len(shape) == 4 and shape[2] == shape[3])) for _, shape in found):
        raise WinnowError(
            f"finetune.method adapters finds no blocks that give tokens or maps in {type(encoder).__name__}: choose "
            "lora, or another pretrain.encoder."
        )
    for block, shape in found:
        maps = len(shape) == 4
        block.adapter = Adapter(shape[1] if maps else shape[2], bottleneck, maps=maps)
        block.register_forward_hook(_adapt)
    encoder.additions = encoder.additions.model_copy(update={"adapters": bottleneck})


def _adapt(block: nn.Module, _: Any, output: Tensor) -> Tensor:
    assert isinstance(block.adapter, Adapter)
    adapted: Tensor = block.adapter(output)
    return adapted
