"""Full fine-tuning: encoder and head trained together, lower layers more slowly, from the linear probe's solution.

Start from the probe: Kumar et al. 2022, Fine-tuning can distort pretrained features, https://arxiv.org/abs/2202.10054
Rates per layer: Howard & Ruder 2018, ULMFiT, https://arxiv.org/abs/1801.06146
Mixup: Zhang et al. 2018, https://arxiv.org/abs/1710.09412
Label smoothing: Szegedy et al. 2016, https://arxiv.org/abs/1512.00567
Dropout: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
"""

from collections.abc import Iterator
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.core.errors import WinnowError
from components.methods.contracts import AdaptationMethod, Batch, Floats, Positions, StepOutput
from components.models.encoders import Encoder
from components.models.linear_head import fit_linear


class Full(AdaptationMethod):
    """Soft-target cross-entropy through the whole network, with discriminative rates, label smoothing and mixup."""

    views: tuple[str, ...] = ("weak", "strong")

    class Config(BaseConfig):
        """How to fine-tune.

        view: augmentation policy of the pictures; layer_decay: rate of a layer over that of the layer above it;
        label_smoothing: share of every target spread over all classes; mixup: alpha of Beta(alpha, alpha), 0 is off;
        l2: of the probe that the head starts from; dropout: share of the head's inputs left out in each step, which
        queries by `bald` need.
        """

        view: Literal["weak", "strong"] = "weak"
        layer_decay: float = Field(default=0.7, gt=0, le=1)
        label_smoothing: float = Field(default=0.0, ge=0, lt=1)
        mixup: float = Field(default=0.0, ge=0)
        l2: float = Field(default=0.01, gt=0)
        dropout: float = Field(default=0.0, ge=0, lt=1)

    def __init__(self, encoder: Encoder, classes: int, config: Config) -> None:
        super().__init__()
        if config.mixup and encoder.given.symbols:
            raise WinnowError("finetune.method.mixup mixes measures, and this data are symbols: set it to 0.")
        self.encoder = encoder
        self.head: nn.Module = nn.Linear(encoder.dim, classes)
        self.config = config
        self.views = (config.view,)
        self.dropout = config.dropout

    def fit_head(self, pool: Floats, rows: Positions, targets: Floats, weights: Floats) -> float:
        """Start the head at the probe's solution: a random one would tear up the encoder while it learns."""
        self.head, loss = fit_linear(pool, rows, targets, weights, l2=self.config.l2)
        return loss

    def training_step(self, batch: Batch) -> StepOutput:
        """Weighted mean over the batch of the cross-entropy to smoothed, possibly mixed targets."""
        assert batch.targets is not None
        assert batch.weights is not None
        pictures, targets, weights = batch.views[0], batch.targets, batch.weights
        if self.config.mixup > 0:
            pictures, targets, weights = self._mixed(pictures, targets, weights)
        logits = self.head(F.dropout(self.encoder(pictures), self.dropout, self.training))
        return StepOutput(soft_cross_entropy(logits, targets, weights, self.config.label_smoothing))

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """The head at the full rate, each layer of the encoder at `layer_decay` times the rate of the one above."""
        groups = [{"params": list(self.head.parameters()), "lr": learning_rate}]
        for depth, parameters in enumerate(reversed(list(_layers(self.encoder))), start=1):
            groups.append({"params": parameters, "lr": learning_rate * self.config.layer_decay**depth})
        return groups

    def _mixed(self, pictures: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        share = float(torch.distributions.Beta(self.config.mixup, self.config.mixup).sample())
        other = torch.randperm(len(pictures)).to(pictures.device)
        first, second = share * weights, (1 - share) * weights[other]
        mixed = (first[:, None] * targets + second[:, None] * targets[other]) / (first + second)[:, None]
        return share * pictures + (1 - share) * pictures[other], mixed, first + second


def soft_cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """`sum_i w_i CE((1 - s) target_i + s / K, logits_i) / sum_i w_i`; logits and targets `(B, K)`, weights `(B,)`."""
    losses = F.cross_entropy(logits, targets, reduction="none", label_smoothing=label_smoothing)
    return torch.dot(weights, losses) / weights.sum()


def _layers(encoder: nn.Module) -> Iterator[list[nn.Parameter]]:
    """The encoder's trainable parameters layer by layer, input first: its children, rows of blocks block by block."""
    while len(children := list(encoder.children())) == 1 and not list(encoder.parameters(recurse=False)):
        encoder = children[0]
    direct = [p for p in encoder.parameters(recurse=False) if p.requires_grad]
    if direct:
        yield direct
    for child in encoder.children():
        parts = list(child.children())
        blocks = isinstance(child, nn.Sequential | nn.ModuleList) and any(list(part.children()) for part in parts)
        for part in parts if blocks else [child]:
            trainable = [p for p in part.parameters() if p.requires_grad]
            if trainable:
                yield trainable
