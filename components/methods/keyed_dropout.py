"""Dropout inside an encoder that is a function of seed and sample, not of the batch or the worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from components.core import seeds
from components.methods.contracts import Batch
from components.models.encoders import Encoder
from components.models.token_encoder import TokenEncoder, by_length, known

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


def encoded(encoder: TokenEncoder, views: Tensor, rate: float, seed: int, keys: Tensor) -> Tensor:
    """Numbers `(b, l)` -> `(b, l, width)`: what `encode` makes of them, dropped from words' vectors and between blocks.

    keys: `(b,)` of these samples.
    """
    with dropout_between(encoder, rate, seed, keys):
        return encoder.encode(dropped(encoder.embed(views), rate, seed, keys), known(views))


def read_dropping(encoder: TokenEncoder, views: Tensor, rate: float, batch: Batch) -> Tensor:
    """As `encoder.read` `(B, L, width)`; in training numbers are dropped, of an encoder without blocks at its end too.

    The seed is drawn from the batch's generator, where there is a rate at all.
    """
    if not rate or not encoder.training:
        return encoder.read(views)
    seed = int(torch.randint(2**62, (1,), generator=batch.generator))
    plain = not encoder.block_list()

    def seen(part: Tensor, rows: Tensor) -> Tensor:
        own = batch.keys.to(rows.device)[rows]
        vectors = encoded(encoder, part, rate, seed, own)
        vectors = dropped(vectors, rate, seeds.derive(seed, "read"), own) if plain else vectors
        return F.pad(vectors, (0, 0, 0, views.shape[1] - part.shape[1]))

    return by_length(seen, views)
