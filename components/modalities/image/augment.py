"""Views of a batch of pictures: two small matrix products and one color map per picture, reproducible from a seed."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from components.modalities.image.color import Colors
from components.modalities.image.geometry import Geometry, cut_out
from components.modalities.image.policy import Policy
from components.modalities.image.recipe import Recipe, draw

CACHED_VALUES = 400_000  # pixel values worked on at a time on a CPU: with the weights, what its cache holds
DEVICE_VALUES = 64_000_000  # the same where there is no such limit but memory


class Augment:
    """Makes the view that `policy` describes, normalized by `mean` and `std` (one per channel, on a scale of 0 to 1).

    Geometry comes first, then colors, a single clamp to [0, 1] at the end, cutout last (it shows the mean color).
    torchvision clamps after each operation and blurs after the colors; without clipping the two differ only in the
    mean gray that contrast turns about, here the blurred picture's.
    """

    def __init__(self, policy: Policy, mean: list[float], std: list[float]) -> None:
        self._policy, self._mean, self._std = policy, mean, std
        self._turns = policy.rotate > 0 or policy.rand_augment.operations > 0
        self._cuts = policy.cutout > 0 or policy.rand_augment.operations > 0

    def __call__(self, pictures: Tensor, keys: npt.NDArray[np.int64], seed: int) -> Tensor:
        """`(B, C, H, W)` uint8 to `(B, C, H, W)` float32 on the same device; `keys` `(B,)` name the pictures.

        With `policy.shrink` the view's sides are that many times smaller, each pixel the mean of a square.

        A picture's view depends on its key and the seed alone, whatever else is in the batch.
        """
        recipe = draw(self._policy, keys, seed, aspect=pictures.shape[3] / pictures.shape[2])
        views = self.apply(pictures, recipe)
        return F.avg_pool2d(views, self._policy.shrink) if self._policy.shrink > 1 else views

    def apply(self, pictures: Tensor, recipe: Recipe) -> Tensor:
        """Make the views that `recipe` says, as in `__call__`."""
        device, shape = pictures.device, pictures.shape[1:]
        step = min(len(pictures) or 1, 1 + (CACHED_VALUES if device.type == "cpu" else DEVICE_VALUES) // shape.numel())
        recipe = recipe.to(device)
        move, paint = Geometry(recipe, *shape[1:], turns=self._turns), Colors(recipe, self._mean, self._std)
        views, scratch = torch.empty(pictures.shape, device=device), torch.empty((3, step, *shape), device=device)
        for start in range(0, len(pictures), step):
            part = slice(start, start + step)
            view = views[part]
            source, between, moved = scratch[:, : len(view)]
            source.copy_(pictures[part])
            paint(move(source, part, scratch=between, out=moved), part, out=view)
            if self._cuts:
                view.masked_fill_(cut_out(recipe, part, *shape[1:]), 0)
        return views
