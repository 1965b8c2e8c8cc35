"""Every method that trains a network on a small encoder that suits it, and batches of what it wants to see."""

import torch
from torch import Tensor
from torch.nn import functional as F

from components.core import registry
from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.methods.contracts import Batch, SelfSupervisedMethod, SemiSupervisedNetwork, TrainableMethod

SHRINK = {"local": 2}
SMALL = [
    PluginChoice(name="small_resnet", width=8),
    PluginChoice(name="vit_small", width=24, depth=2, heads=2),  # for methods that want patches
]


def self_supervised(name: str, size: int = 32) -> SelfSupervisedMethod:
    """The method with its default settings, its weights always the same."""
    for choice in SMALL:
        torch.manual_seed(0)
        encoder = registry.build("encoder", choice, 1, size, where="encoder")
        try:
            method = registry.build("self_supervised", PluginChoice(name=name), encoder, where="method")
        except WinnowError:
            continue
        assert isinstance(method, SelfSupervisedMethod)
        return method
    raise AssertionError(f"no encoder suits {name}")


def semi_supervised_networks() -> list[str]:
    """Names of the semi-supervised methods that see pictures."""
    family = "semi_supervised"
    return [name for name in registry.names(family) if issubclass(registry.load(family, name), SemiSupervisedNetwork)]


def semi_supervised(name: str, *, unlabeled: int, classes: int = 3, size: int = 32) -> SemiSupervisedNetwork:
    """The method with its default settings, its weights always the same."""
    torch.manual_seed(0)
    encoder = registry.build("encoder", SMALL[0], 1, size, where="encoder")
    parts = (encoder, torch.nn.Linear(encoder.dim, classes), unlabeled)
    method = registry.build("semi_supervised", PluginChoice(name=name), *parts, where="method")
    assert isinstance(method, SemiSupervisedNetwork)
    return method


def mixed_batch(method: SemiSupervisedNetwork, targets: Tensor, labeled: int, size: int = 32) -> Batch:
    """Random views; the last `labeled` rows have their targets `(B, K)`, the others none."""
    noise = torch.Generator().manual_seed(0)
    rows = len(targets)
    weights = (torch.arange(rows) >= rows - labeled).float()
    views = [torch.randn(rows, 1, size, size, generator=noise) for _ in method.views]
    return Batch(views, targets * weights[:, None], weights, torch.arange(rows), torch.Generator().manual_seed(0))


def batch_of(method: SelfSupervisedMethod, views: list[Tensor], step: int = 0, *, keys: Tensor | None = None) -> Batch:
    """One view `(B, C, S, S)` per name in `method.views`, the local ones made smaller; keys 0 to B - 1 by default."""
    keys = torch.arange(len(views[0])) if keys is None else keys
    shrunk = [F.avg_pool2d(view, SHRINK.get(name, 1)) for name, view in zip(method.views, views, strict=True)]
    return Batch(shrunk, keys=keys, generator=torch.Generator().manual_seed(step))


def before_epoch(method: TrainableMethod, pictures: Tensor, epoch: int = 0) -> None:
    """What the loop does before an epoch over `pictures` `(N, C, S, S)`."""

    def vectors() -> Tensor:
        method.encoder.eval()
        with torch.no_grad():
            made: Tensor = method.encoder(pictures)
        method.encoder.train()
        return made

    method.before_epoch(vectors, torch.Generator().manual_seed(epoch))
