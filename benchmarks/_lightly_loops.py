"""The loops one writes with lightly, as its documentation shows them, with our network and our widths.

Each is a module of all that is trained and `loss(views)`; its views come from lightly's own transform.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

HIDDEN, PROJECTION, QUEUE, PROTOTYPES, OUTPUTS = 512, 128, 1024, 128, 1024  # the defaults of our methods
Transform = Callable[[object], list[Tensor]]


class Loop(nn.Module, ABC):
    """Two views a picture; a subclass adds its heads and says its loss."""

    def __init__(self, encoder: nn.Module, dim: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.build(dim)

    @abstractmethod
    def build(self, dim: int) -> None:
        """Make the heads."""

    @abstractmethod
    def loss(self, views: list[Tensor]) -> Tensor:
        """Of one batch of views, `(B, C, S, S)` each."""

    def after_step(self) -> None:
        """What follows an optimizer step."""

    def transform(self, size: int) -> Transform:
        """lightly's transform of this method."""
        from lightly.transforms import SimCLRTransform

        return SimCLRTransform(input_size=size, gaussian_blur=0.5)


class SimCLR(Loop):
    def build(self, dim: int) -> None:
        from lightly.loss import NTXentLoss
        from lightly.models.modules import SimCLRProjectionHead

        self.head, self.criterion = SimCLRProjectionHead(dim, HIDDEN, PROJECTION), NTXentLoss(0.2)

    def loss(self, views: list[Tensor]) -> Tensor:
        return self.criterion(*(self.head(self.encoder(view)) for view in views))


class MoCo(Loop):
    def build(self, dim: int) -> None:
        from lightly.loss import NTXentLoss
        from lightly.models.modules import MoCoProjectionHead

        self.head = MoCoProjectionHead(dim, HIDDEN, PROJECTION, batch_norm=True)
        self.teacher = _teacher(nn.Sequential(self.encoder, self.head))
        self.criterion = NTXentLoss(0.2, memory_bank_size=(QUEUE, PROJECTION))

    def loss(self, views: list[Tensor]) -> Tensor:
        with torch.no_grad():
            keys = self.teacher(views[1])
        return self.criterion(self.head(self.encoder(views[0])), keys)

    def after_step(self) -> None:
        from lightly.models.utils import update_momentum

        update_momentum(nn.Sequential(self.encoder, self.head), self.teacher, 0.99)


class BYOL(MoCo):
    def build(self, dim: int) -> None:
        from lightly.loss import NegativeCosineSimilarity
        from lightly.models.modules import BYOLPredictionHead, BYOLProjectionHead

        self.head = BYOLProjectionHead(dim, HIDDEN, PROJECTION)
        self.predictor = BYOLPredictionHead(PROJECTION, HIDDEN, PROJECTION)
        self.teacher = _teacher(nn.Sequential(self.encoder, self.head))
        self.criterion = NegativeCosineSimilarity()

    def loss(self, views: list[Tensor]) -> Tensor:
        said = [self.predictor(self.head(self.encoder(view))) for view in views]
        with torch.no_grad():
            wanted = [self.teacher(view) for view in views]
        return 0.5 * (self.criterion(said[0], wanted[1]) + self.criterion(said[1], wanted[0]))


class BarlowTwins(Loop):
    def build(self, dim: int) -> None:
        from lightly.loss import BarlowTwinsLoss
        from lightly.models.modules import BarlowTwinsProjectionHead

        self.head, self.criterion = BarlowTwinsProjectionHead(dim, 1024, 1024), BarlowTwinsLoss()

    def loss(self, views: list[Tensor]) -> Tensor:
        return self.criterion(*(self.head(self.encoder(view)) for view in views))


class VICReg(BarlowTwins):
    def build(self, dim: int) -> None:
        from lightly.loss import VICRegLoss
        from lightly.models.modules.heads import VICRegProjectionHead

        self.head, self.criterion = VICRegProjectionHead(dim, 1024, 1024, num_layers=3), VICRegLoss()


class NNCLR(Loop):
    def build(self, dim: int) -> None:
        from lightly.loss import NTXentLoss
        from lightly.models.modules import NNCLRPredictionHead, NNCLRProjectionHead, NNMemoryBankModule

        self.head = NNCLRProjectionHead(dim, HIDDEN, PROJECTION)
        self.predictor = NNCLRPredictionHead(PROJECTION, HIDDEN, PROJECTION)
        self.memory, self.criterion = NNMemoryBankModule(size=(QUEUE, PROJECTION)), NTXentLoss(0.1)

    def loss(self, views: list[Tensor]) -> Tensor:
        first, second = (self.head(self.encoder(view)) for view in views)
        said = [self.predictor(rows) for rows in (first, second)]
        near = [self.memory(first.detach(), update=False), self.memory(second.detach(), update=True)]
        return 0.5 * (self.criterion(near[0], said[1]) + self.criterion(near[1], said[0]))


class SwAV(Loop):
    def build(self, dim: int) -> None:
        from lightly.loss import SwaVLoss
        from lightly.models.modules import SwaVProjectionHead, SwaVPrototypes

        self.head, self.prototypes = SwaVProjectionHead(dim, HIDDEN, PROJECTION), SwaVPrototypes(PROJECTION, PROTOTYPES)
        self.criterion = SwaVLoss()

    def loss(self, views: list[Tensor]) -> Tensor:
        self.prototypes.normalize()
        scores = [self.prototypes(nn.functional.normalize(self.head(self.encoder(view)))) for view in views]
        return self.criterion(scores[:2], scores[2:])

    def transform(self, size: int) -> Transform:
        from lightly.transforms import SwaVTransform

        return SwaVTransform(crop_sizes=(size, size // 2), crop_counts=(2, 2))


class DINO(MoCo):
    def build(self, dim: int) -> None:
        from lightly.loss import DINOLoss
        from lightly.models.modules import DINOProjectionHead

        self.head, copied = (DINOProjectionHead(dim, HIDDEN, PROJECTION, OUTPUTS, batch_norm=True) for _ in range(2))
        copied.load_state_dict(self.head.state_dict())  # weight norm cannot be copied
        copied.requires_grad_(False)
        self.teacher = nn.Sequential(_teacher(self.encoder), copied)
        self.criterion = DINOLoss(output_dim=OUTPUTS)

    def loss(self, views: list[Tensor]) -> Tensor:
        with torch.no_grad():
            wanted = [self.teacher(view) for view in views[:2]]
        return self.criterion(wanted, [self.head(self.encoder(view)) for view in views], epoch=0)

    def transform(self, size: int) -> Transform:
        from lightly.transforms import DINOTransform

        return DINOTransform(global_crop_size=size, local_crop_size=size // 2, n_local_views=2)


LOOPS: dict[str, type[Loop]] = {
    "simclr": SimCLR,
    "moco": MoCo,
    "byol": BYOL,
    "barlow_twins": BarlowTwins,
    "vicreg": VICReg,
    "nnclr": NNCLR,
    "swav": SwAV,
    "dino": DINO,
}


def _teacher(student: nn.Module) -> nn.Module:
    from lightly.models.utils import deactivate_requires_grad

    teacher = copy.deepcopy(student)
    deactivate_requires_grad(teacher)
    return teacher
