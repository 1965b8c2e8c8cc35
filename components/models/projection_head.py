"""The projection head: the small network between encoder and loss, thrown away after pretraining.

Chen et al. 2020, SimCLR, https://arxiv.org/abs/2002.05709 (section 4.2).
"""

from itertools import pairwise

from torch import nn


def projection_head(*widths: int) -> nn.Sequential:
    """An MLP `widths[0] -> ... -> widths[-1]`: no biases, batch norm and ReLU between the layers."""
    layers: list[nn.Module] = []
    for incoming, outgoing in pairwise(widths):
        layers += [nn.Linear(incoming, outgoing, bias=False), nn.BatchNorm1d(outgoing), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-2])
