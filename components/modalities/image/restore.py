"""Pictures as people see them: from normalized values back to pixels."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Pixels = npt.NDArray[np.uint8]


def pixels_of(views: Tensor, mean: list[float], std: list[float]) -> Pixels:
    """`(..., C, H, W)` normalized values, on any device, to pixels; what lies outside of their range is cut."""
    center, scale = (torch.tensor(values)[:, None, None] for values in (mean, std))
    pixels: Pixels = ((views.float().cpu() * scale + center) * 255).round().clamp(0, 255).to(torch.uint8).numpy()
    return pixels
