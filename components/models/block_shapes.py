"""What goes into each block of an encoder and what comes out, by one look with nothing in it."""

from typing import Any

import torch
from torch import Tensor, nn

from components.models.encoders import Encoder

Shape = tuple[int, ...]


@torch.no_grad()
def block_shapes(encoder: Encoder) -> list[tuple[nn.Module, Shape, Shape]]:
    """Each block that is passed, input first, with the shapes of what enters and leaves it of one view.

    What is no single tensor has no shape. The encoder stays as it was.
    """
    found: list[tuple[nn.Module, Shape, Shape]] = []

    def note(block: nn.Module, inputs: Any, output: Any) -> None:
        shapes = (tuple(one.shape) if isinstance(one, Tensor) else () for one in (inputs[0], output))
        found.append((block, next(shapes), next(shapes)))

    handles = [block.register_forward_hook(note) for block in encoder.block_list()]
    training = encoder.training
    encoder.eval()(encoder.example())
    encoder.train(training)
    for handle in handles:
        handle.remove()
    return found
