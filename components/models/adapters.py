"""Adapters: small bottlenecks behind an encoder's blocks, which say nothing until they are trained.

Houlsby et al. 2019, https://arxiv.org/abs/1902.00751, one behind each block (Pfeiffer et al. 2021,
https://arxiv.org/abs/2005.00247); for maps of features, 1x1 convolutions (Rebuffi et al. 2017,
https://arxiv.org/abs/1705.08045).
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.errors import WinnowError
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
    found = list(blocks(encoder))
    shapes = _shapes(encoder, found)
    if not found or any(not (len(shape) == 3 or (len(shape) == 4 and shape[2] == shape[3])) for shape in shapes):
        raise WinnowError(
            f"finetune.method adapters finds no blocks that give tokens or maps in {type(encoder).__name__}: choose "
            "lora, or another pretrain.encoder."
        )
    for block, shape in zip(found, shapes, strict=True):
        maps = len(shape) == 4
        block.adapter = Adapter(shape[1] if maps else shape[2], bottleneck, maps=maps)
        block.register_forward_hook(_adapt)
    encoder.additions = encoder.additions.model_copy(update={"adapters": bottleneck})


def blocks(network: nn.Module) -> Iterator[nn.Module]:
    """The modules of many layers that stand in rows, input first."""
    in_row = isinstance(network, nn.Sequential | nn.ModuleList)
    for child in network.children():
        if in_row and not isinstance(child, nn.Sequential) and any(child.children()):
            yield child
        else:
            yield from blocks(child)


def _shapes(encoder: Encoder, modules: list[nn.Module]) -> list[torch.Size]:
    """Of what comes out of the modules for one picture."""
    shapes: dict[nn.Module, torch.Size] = {}

    def note(module: nn.Module, _: Any, output: Tensor) -> None:
        shapes[module] = output.shape

    handles = [module.register_forward_hook(note) for module in modules]
    run_empty(encoder)
    for handle in handles:
        handle.remove()
    return [shapes.get(module, torch.Size()) for module in modules]


@torch.no_grad()
def run_empty(encoder: Encoder) -> None:
    """One empty picture through the encoder, which stays as it was; for hooks that look on."""
    training, weight = encoder.training, next(encoder.parameters())
    encoder.eval()(torch.zeros(1, *encoder.shape, device=weight.device))
    encoder.train(training)


def _adapt(block: nn.Module, _: Any, output: Tensor) -> Tensor:
    assert isinstance(block.adapter, Adapter)
    adapted: Tensor = block.adapter(output)
    return adapted
