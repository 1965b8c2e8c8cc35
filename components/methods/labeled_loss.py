"""What the labels of a mixed batch say: the supervised part of every semi-supervised loss."""

import torch
from torch import Tensor
from torch.nn import functional as F

from components.methods.contracts import Batch
from components.methods.precise import precise


def labeled_loss(logits: Tensor, batch: Batch) -> Tensor:
    """`sum_i w_i CE(target_i, logits_i) / sum_i w_i` of `(B, K)` logits; 0 in a batch without a label."""
    assert batch.targets is not None
    assert batch.weights is not None
    losses = F.cross_entropy(precise(logits), batch.targets, reduction="none")
    return torch.dot(batch.weights, losses) / batch.weights.sum().clamp_min(torch.finfo(losses.dtype).tiny)
