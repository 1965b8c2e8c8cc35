"""Multi-crop: many views of a picture, small ones of its parts beside whole ones, through the encoder at little cost.

Caron et al. 2020, SwAV, https://arxiv.org/abs/2006.09882 (section 3.3).
"""

from itertools import groupby

import torch
from torch import Tensor

from components.models.encoders import Encoder


def encode_crops(encoder: Encoder, views: list[Tensor]) -> Tensor:
    """V views, `(B, C, S, S)` each, to `(V B, dim)` in their order; neighbors of one size share a forward pass.

    So batch norm knows the small views by their own statistics, as in the authors' code.
    """
    return torch.cat([encoder(torch.cat(list(group))) for _, group in groupby(views, key=lambda view: view.shape)])
