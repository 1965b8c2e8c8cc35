"""The whole batch on every worker: what a loss that compares samples with each other needs."""

from typing import Any

import torch
from torch import Tensor, distributed


def whole_batch(rows: Tensor) -> Tensor:
    """`(B, D)` of this worker -> `(W B, D)` of all in rank order, with gradient; alone, `rows`; at least float32.

    Whole numbers, such as keys `(B,)`, stay what they are.

    Every worker then computes the same loss of the same whole batch, and its gradient reaches this worker's rows alone,
    times W because data-parallel training averages gradients over workers. So the step is that of one worker with the
    whole batch, and nothing is sent on the way back.
    """
    if rows.is_floating_point():
        rows = rows.to(torch.promote_types(rows.dtype, torch.float32))  # sums over a batch are too long for bfloat16
    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return rows
    gathered: Tensor = _Gather.apply(rows)
    return gathered


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        world = distributed.get_world_size()
        return gradients[0].chunk(world)[distributed.get_rank()] * world
