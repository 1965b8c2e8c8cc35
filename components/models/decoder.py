"""From a vector back to a picture: the network that reconstructing and generating methods train beside the encoder.

Radford et al. 2016, DCGAN, https://arxiv.org/abs/1511.06434 (transposed convolutions of stride 2, batch norm, ReLU).
"""

import torch
from torch import Tensor, nn


class Decoder(nn.Module):
    """`(N, dim)` -> `(N, C, S, S)`, unbounded: pictures on the normalized scale. Any S; works up from at least 4x4."""

    def __init__(self, dim: int, shape: tuple[int, ...], width: int) -> None:
        """shape: C, S, S of the pictures; width: channels of the last layer but one, doubled at each layer below."""
        super().__init__()
        self.shape = shape
        doublings = 0
        while (shape[1] >> (doublings + 1)) >= 4 and doublings < 4:
            doublings += 1
        self.side = -(-shape[1] // 2**doublings)
        channels = width * 2 ** max(0, doublings - 1)
        self.first = nn.Sequential(
            nn.Linear(dim, channels * self.side**2, bias=False), nn.BatchNorm1d(channels * self.side**2), nn.ReLU()
        )
        layers: list[nn.Module] = []
        for doubling in range(doublings):
            last = doubling == doublings - 1
            outgoing = shape[0] if last else channels // 2
            layers.append(nn.ConvTranspose2d(channels, outgoing, 4, 2, 1, bias=last))
            layers += [] if last else [nn.BatchNorm2d(outgoing), nn.ReLU()]
            channels = outgoing
        self.layers = nn.Sequential(*layers) if layers else nn.Conv2d(channels, shape[0], 3, padding=1)

    def forward(self, vectors: Tensor) -> Tensor:
        """Decode, and cut what the doubling of sides made too much."""
        maps = self.first(vectors).unflatten(1, (-1, self.side, self.side))
        pictures: Tensor = self.layers(maps.contiguous(memory_format=torch.channels_last))
        return pictures[:, :, : self.shape[1], : self.shape[2]]
