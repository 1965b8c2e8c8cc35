"""Jigsaw puzzle: the tiles of a picture are shuffled, and the order is to be told; who can knows how parts belong.

Noroozi & Favaro 2016, https://arxiv.org/abs/1603.09246; context prediction: Doersch, Gupta & Efros 2015.
"""

from itertools import permutations

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods import draws
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.patches import cut
from components.methods.precise import precise
from components.models.encoders import Encoder
from components.models.projection_head import projection_head


class Jigsaw(SelfSupervisedMethod):
    """The encoder sees each tile alone; a head sees the vectors of all, in their shuffled order.

    Each tile has a mean of 0 and a deviation of 1 of its own, and its border is cut by chance, so that neither
    brightness nor lines that go on tell which tiles are neighbors (the paper's section 3.3). One weak view.
    """

    fits = ("pixels",)

    views = ("weak",)

    class Config(BaseConfig):
        """grid: tiles along a side; orders: how many of the possible orders are told apart, the most different ones.

        gap: share of a tile's side that is cut away; reduced, hidden: widths of the head, per tile and of all. The
        paper's 3 x 3 tiles in 1,000 orders are for pictures of 225 pixels.
        """

        grid: int = Field(default=2, ge=2, le=3)
        orders: int = Field(default=24, ge=2)
        gap: float = Field(default=0.125, ge=0, lt=0.5)
        reduced: int = Field(default=64, ge=1)
        hidden: int = Field(default=512, ge=1)

    orders: Tensor

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.register_buffer("orders", different_orders(config.grid**2, config.orders), persistent=False)
        self.reduce = nn.Linear(encoder.dim, config.reduced)
        self.head = projection_head(config.grid**2 * config.reduced, config.hidden, len(self.orders))

    def training_step(self, batch: Batch) -> StepOutput:
        """Cross-entropy of the order each picture was shuffled in; figures: how many were recognized."""
        chosen = (draws.uniform(batch) * len(self.orders)).long()
        tiles = self._tiles(batch)
        count = len(tiles)
        shuffled = tiles[torch.arange(count, device=tiles.device)[:, None], self.orders[chosen]]
        vectors = self.reduce(self.encoder(shuffled.flatten(0, 1))).view(count, -1)
        logits = precise(self.head(vectors))
        recognized = (logits.argmax(1) == chosen).float().mean()
        return StepOutput(F.cross_entropy(logits, chosen), {"recognized": recognized})

    def _tiles(self, batch: Batch) -> Tensor:
        """`(B, L, C, S, S)`: a square of every tile, scaled by its own statistics and enlarged to the picture's size.

        Small pictures need the last: an encoder that halves sides four times leaves nothing of a tile of 16 pixels.
        """
        pictures, grid = batch.views[0], self.config.grid
        side = pictures.shape[2] // grid
        tiles = cut(pictures[:, :, : side * grid, : side * grid], side)
        size = max(1, side - round(self.config.gap * side))
        places = draws.uniform(batch, grid**2, 2).to(tiles.device)
        tiles = alike(tile_squares(tiles, places, size))
        large = F.interpolate(tiles.flatten(0, 1), pictures.shape[2:], mode="bilinear")
        return large.view(*tiles.shape[:3], *pictures.shape[2:])


def different_orders(tiles: int, count: int) -> Tensor:
    """`(min(count, tiles!), tiles)` orders, each the farthest from those before it (the paper's algorithm 1).

    Far: in the sum of Hamming distances. The first is the unshuffled one; of equally far ones, the first in order.
    """
    every = np.array(list(permutations(range(tiles))), dtype=np.int8)
    chosen, distance = [0], np.zeros(len(every), dtype=np.int64)
    while len(chosen) < min(count, len(every)):
        distance += (every != every[chosen[-1]]).sum(1)
        distance[chosen[-1]] = -len(every) * tiles  # never again
        chosen.append(int(distance.argmax()))
    return torch.from_numpy(every[chosen].astype(np.int64))


def tile_squares(tiles: Tensor, places: Tensor, size: int) -> Tensor:
    """`(N, L, C, size, size)` out of `(N, L, C, S, S)`, at places `(N, L, 2)` in [0, 1) from first to last corner."""
    corners = (places * (tiles.shape[3] - size + 1)).long()[..., None]  # (N, L, 2, 1)
    rows, columns = (corners + torch.arange(size, device=tiles.device)).unbind(2)  # (N, L, size) each
    wide = rows[:, :, None, :, None].expand(*tiles.shape[:3], size, tiles.shape[4])
    return tiles.gather(3, wide).gather(4, columns[:, :, None, None, :].expand(*tiles.shape[:3], size, size))


def alike(tiles: Tensor) -> Tensor:
    """`(N, L, C, s, s)`, each channel of a tile less its mean and over its deviation; flat ones become 0."""
    variance, mean = torch.var_mean(tiles, (3, 4), keepdim=True)
    return (tiles - mean) / torch.sqrt(variance + 1e-2)
