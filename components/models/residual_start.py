"""Initial weights by which what a transformer's layers add to a word begins no larger than the word's own vector.

Radford et al. 2019, GPT-2, Language models are unsupervised multitask learners, section 2.3; the deviation: Radford et
al. 2018. With torch's usual weights a layer adds ten times a table's vector, and which word it was is lost.
"""

import math
from collections.abc import Sequence

import torch
from torch import nn

DEVIATION = 0.02  # of new tables and layers


def start_small(module: nn.Module, adding: Sequence[nn.Linear]) -> None:
    """Draw the weights of all the module's linear layers anew; adding: those of them that end a residual branch, whose
    deviation is smaller by the root of how many there are.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=DEVIATION)
            nn.init.zeros_(layer.bias)
    with torch.no_grad():
        for layer in adding:
            layer.weight /= math.sqrt(len(adding))
