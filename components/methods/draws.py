"""Random numbers for a batch that do not depend on how many workers share it."""

from collections.abc import Callable

import torch
from torch import Tensor, distributed

from components.core.device import to_device
from components.methods.contracts import Batch


def normal(batch: Batch, *shape: int) -> Tensor:
    """`(B, *shape)` standard normal numbers, on the device of the views: this worker's rows of the whole batch's."""
    return _own(batch, lambda total: torch.randn(total, *shape, generator=batch.generator))


def uniform(batch: Batch, *shape: int) -> Tensor:
    """`(B, *shape)` numbers in [0, 1), likewise."""
    return _own(batch, lambda total: torch.rand(total, *shape, generator=batch.generator))


def _own(batch: Batch, draw: Callable[[int], Tensor]) -> Tensor:
    numbers = draw(len(batch.views[0]) * _workers())
    rank = distributed.get_rank() if _workers() > 1 else 0
    return to_device(numbers.chunk(_workers())[rank], batch.views[0].device)


def _workers() -> int:
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1
