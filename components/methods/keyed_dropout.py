"""Dropout inside an encoder that is a function of seed and sample, not of the batch or the worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.core import seeds
from components.models.encoders import Encoder

WHOLE = 2**16


def dropped(values: Tensor, rate: float, seed: int, keys: Tensor) -> Tensor:
    """`(B, L, d)` with each number 0 at a chance of `rate`, the others larger by as much; keys: `(B,)` the samples'.

    What is drawn for a sample's first places stays the same however many places there are.
    """
    if not rate:
        return values
    numbers = seeds.lots(seed, keys.cpu().numpy(), values[0].numel())
    kept = torch.from_numpy((numbers >= np.uint16(round(rate * WHOLE))).reshape(values.shape)).to(values.device)
    return values * kept / (1 - rate)


@contextmanager
def dropout_between(encoder: Encoder, rate: float, seed: int, keys: Tensor) -> Iterator[None]:
    """While it lasts, what leaves each block of the encoder `(B, L, d)` is dropped from, each block's by a seed."""

    def hook(number: int) -> Any:
        return lambda _, __, output: dropped(output, rate, seeds.derive(seed, number), keys)

    handles = [block.register_forward_hook(hook(number)) for number, block in enumerate(encoder.block_list())]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
