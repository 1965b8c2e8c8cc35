"""A network's parameters and buffers as copies, so that a pass over made pictures leaves no trace in it."""

from torch import Tensor, nn


def stand_ins(module: nn.Module, *, frozen: bool) -> dict[str, Tensor]:
    """For `functional_call`: copies of the buffers, to be changed and forgotten, and parameters without gradient if
    frozen.
    """
    copies = {name: buffer.clone() for name, buffer in module.named_buffers()}
    return copies | ({name: value.detach() for name, value in module.named_parameters()} if frozen else {})
