"""A semi-supervised network on a small encoder, and batches of labeled and unlabeled rows, in float64."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from components.core.plugins import load
from components.methods.contracts import Batch, SemiSupervisedNetwork
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given

CLASSES, ROWS, LABELED, SIZE = 3, 8, 3, 16


def network(name: str, **options: Any) -> SemiSupervisedNetwork:
    """In evaluation mode, so that a row's logits do not depend on the rest of the batch; weights always the same."""
    torch.manual_seed(0)
    encoder = SmallResnet(given(1, SIZE), SmallResnet.Config(width=8))
    method = load("semi_supervised", name)
    made = method(encoder, nn.Linear(encoder.dim, CLASSES), ROWS - LABELED, method.Config(**options)).double().eval()
    assert isinstance(made, SemiSupervisedNetwork)
    return made


def batch(method: SemiSupervisedNetwork, labeled: int = LABELED, views: list[Tensor] | None = None) -> Batch:
    """The last `labeled` rows are labeled, in turn of each class."""
    generator = torch.Generator().manual_seed(0)
    if views is None:
        shape = (ROWS, 1, SIZE, SIZE)
        views = [torch.randn(shape, generator=generator, dtype=torch.float64) for _ in method.views]
    weights = (torch.arange(ROWS) >= ROWS - labeled).double()
    targets = torch.eye(CLASSES, dtype=torch.float64)[torch.arange(ROWS) % CLASSES] * weights[:, None]
    return Batch(views, targets, weights, torch.arange(ROWS), torch.Generator().manual_seed(1))


def softmax(logits: Tensor) -> npt.NDArray[np.float64]:
    """In numpy, for formulas written out another way."""
    values = np.exp(logits.detach().numpy() - logits.detach().numpy().max(1, keepdims=True))
    return np.asarray(values / values.sum(1, keepdims=True))


def supervised(method: SemiSupervisedNetwork, given: Batch, view: int = 0) -> float:
    """Mean cross-entropy of the labeled rows, in numpy."""
    assert given.targets is not None
    chosen = softmax(method.logits(given.views[view]))[ROWS - LABELED :]
    return float(-(given.targets.numpy()[ROWS - LABELED :] * np.log(chosen)).sum(1).mean())
