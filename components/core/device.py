"""Bringing what was made on the CPU to where it is computed with."""

import torch
from torch import Tensor


def to_device(values: Tensor, device: torch.device) -> Tensor:
    """`values` on `device`. To an accelerator through pinned memory, so that nobody waits for its queue."""
    return values.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else values.to(device)


def laid_out(views: Tensor) -> Tensor:
    """`views`, in memory as convolutions like them best: channels last, where there are channels and two sides."""
    return views.contiguous(memory_format=torch.channels_last) if views.dim() == 4 else views
