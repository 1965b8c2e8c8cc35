"""At least float32, whatever precision the networks run in: sums over pixels or a batch are too long for bfloat16."""

import torch
from torch import Tensor


def precise(values: Tensor) -> Tensor:
    """`values` in float32; float64 stays as it is."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
