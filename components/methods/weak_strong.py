"""The two passes of methods that learn, from a strong view, what the network says of the weak one."""

import torch
from torch import Tensor

from components.methods.contracts import Batch, SemiSupervisedNetwork
from components.methods.precise import precise


def weak_strong(network: SemiSupervisedNetwork, batch: Batch) -> tuple[Tensor, Tensor]:
    """Logits `(B, K)` of labeled rows' weak and unlabeled rows' strong views, and `(B, K)` guesses of all weak ones.

    The guesses are probabilities without a gradient. Every row is in either pass, so shapes never change and batch norm
    always sees whole batches.
    """
    assert batch.weights is not None
    weak, strong = batch.views
    with torch.no_grad():
        guesses = torch.softmax(precise(network.logits(weak)), dim=1)
    labeled = (batch.weights > 0)[:, None, None, None]
    return precise(network.logits(torch.where(labeled, weak, strong))), guesses
