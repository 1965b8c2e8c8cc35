"""The contracts that methods keep: what each family is given and what it returns."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from components.core.config import Config
from components.models.encoders import Encoder

Floats = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class StepOutput:
    """What one training step gives back: a scalar loss with a gradient, and figures worth a line in the history.

    metrics: numbers or scalar tensors without a gradient; never `.item()`, for which an accelerator would have to wait.
    """

    loss: Tensor
    metrics: Mapping[str, Tensor | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """What the loop hands to `training_step`.

    views: one `(B, C, H, W)` normalized float tensor per name in the method's `views`, in that order.
    targets: `(B, K)` class distributions and weights: `(B,)`, or None where there are no labels.
    keys: `(B,)` the samples' numbers among all that are trained on, in 0 to N - 1.
    generator: another one for every step, the same on all workers; draw from it by `methods/draws.py`.
    """

    views: list[Tensor]
    targets: Tensor | None = None
    weights: Tensor | None = None
    keys: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))
    generator: torch.Generator = field(default_factory=torch.Generator)


class TrainableMethod(nn.Module, ABC):
    """Anything the loop in `components/training` can train.

    views: names of augmentation policies, one view each; the class itself has all that its settings can make it want.
    fits: the kinds of views it is for, said in its own file; none: all.
    """

    Config: ClassVar[type[Config]]
    fits: ClassVar[tuple[str, ...]] = ()
    views: tuple[str, ...]
    encoder: Encoder

    @abstractmethod
    def training_step(self, batch: Batch) -> StepOutput:
        """Loss and metrics of one batch."""

    def before_epoch(self, vectors: Callable[[], Tensor], generator: torch.Generator) -> None:
        """Called before each epoch, on every worker alike.

        `vectors()` gives the encoder's `(N, D)` vectors of all samples that are trained on, unchanged, in the order of
        their keys; it costs a pass over the data. generator: the same on all workers.
        """

    def after_step(self, progress: float) -> None:
        """Called after each optimizer step with the share of training done, in (0, 1]."""

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Optimizer groups; by default all trainable parameters at one rate."""
        return [{"params": [p for p in self.parameters() if p.requires_grad], "lr": learning_rate}]


class SelfSupervisedMethod(TrainableMethod):
    """Trains an encoder without labels. Constructed as `Method(encoder, config)`; the encoder says its `dim`.

    falls: the figure that falls as it learns: `loss`, or one of the metrics where the loss is a game's and need not.
    """

    falls: ClassVar[str] = "loss"

    def project(self, vectors: Tensor) -> Tensor | None:
        """What the loss compares, `(N, K)`, of the encoder's `(N, D)` vectors; None where it compares no pictures.

        These collapse first, so their health is watched too.
        """
        return None

    def show(self, pictures: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Pictures worth a look after training, by caption: `(M, C, S, S)` on the scale of the views; often none.

        pictures: `(M, C, S, S)` normalized, unchanged. Called in evaluation mode, without gradient.
        """
        return {}


class GenerativeMethod(SelfSupervisedMethod):
    """Makes pictures out of codes, too."""

    @abstractmethod
    def codes(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """`(M, Z)`: codes of `(M, C, S, S)` normalized pictures; as many drawn ones by a method that reads none."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """`(M, Z)` -> `(M, C, S, S)` on the scale of the views."""


class AdaptationMethod(TrainableMethod):
    """Turns an encoder into a classifier. Constructed as `Method(encoder, classes, config)`, `classes` their number.

    After training, `encoder` and `head` together are the classifier. A method with `frozen_encoder` never changes the
    encoder, so `fit_head` is its whole training; for the others it is the start from which the loop goes on.

    dropout: the share of the head's inputs that training left out at random.
    """

    frozen_encoder: ClassVar[bool] = False
    dropout: float = 0.0
    head: nn.Module  # (B, D) -> (B, K) logits

    def look(self, seen: Callable[[Positions], Tensor]) -> None:
        """Called before `fit_head`: `seen(places)` gives samples of its `pool`, unchanged, as the encoder sees them."""

    @abstractmethod
    def fit_head(self, pool: Floats, rows: Positions, targets: Floats, weights: Floats) -> float:
        """Solve `head` on the unchanged encoder's vectors; returns the mean cross-entropy reached.

        pool: `(N, D)` vectors, labeled or not; rows: `(M,)` of them, with targets `(M, K)` and weights `(M,)`.
        """

    def finish(self, solve: Callable[[], float]) -> None:
        """Called once, when training has ended or where there was none to do.

        `solve()` is `fit_head` once more, on the vectors of the encoder as it is then.
        """


@dataclass(frozen=True)
class Graph:
    """Nearest neighbors by cosine: indices `(N, k)` and similarities `(N, k)` in [-1, 1], itself left out."""

    indices: Positions
    similarities: Floats


@dataclass(frozen=True)
class PoolTask:
    """What a semi-supervised method may look at: the training split, and the labels in force.

    vectors: `(N, D)` embeddings; labeled: `(L,)` positions into them; targets: `(L, K)` class distributions.
    """

    vectors: Floats
    graph: Graph
    labeled: Positions
    targets: Floats
    seed: int


class SemiSupervisedMethod(ABC):
    """Turns few labels and the pool's vectors into class distributions of the pool. Constructed as `Method(config)`."""

    Config: ClassVar[type[Config]]
    fits: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def pseudo_label(self, task: PoolTask) -> Floats:
        """`(N, K)` class distributions, rows sum to 1."""


class SemiSupervisedNetwork(TrainableMethod):
    """Trains a network on few labels and the pool's pictures at once, and the network labels the pool.

    Constructed as `Method(encoder, head, unlabeled, config)`; trained by one worker. Of a batch, rows of weight above 0
    are labeled; the others have weight 0, targets of zeros, and keys from 0 to `unlabeled` - 1, each its sample's own.

    rounds: how many times the loop runs, from the first step's learning rate each time.
    """

    rounds: int = 1

    def __init__(self, encoder: Encoder, head: nn.Linear, unlabeled: int) -> None:
        super().__init__()
        self.encoder, self.head, self.unlabeled = encoder, head, unlabeled

    def logits(self, pictures: Tensor) -> Tensor:
        """`(B, C, S, S)` normalized -> `(B, K)`."""
        scores: Tensor = self.head(self.encoder(pictures))
        return scores

    def before_round(self, number: int) -> None:
        """Called before each round, from 0; parameters may become others here."""

    def classifier(self) -> tuple[nn.Module, nn.Module]:
        """The encoder and the head that finally label the pool."""
        return self.encoder, self.head


@dataclass(frozen=True)
class Pool:
    """What a query strategy chooses from.

    vectors: `(N, D)` embeddings of the training split; labeled: `(L,)` positions already labeled (never queried again);
    candidates: `(M,)` positions that may be queried; probabilities: `(N, K)` of the model, or None before there is one.
    Of the candidates, in their order, and only for a strategy that needs them: features: `(M, F)`, what the model's
    head sees; draws: `(T, M, K)` probabilities, each of the T with other features left out as by dropout in training.
    """

    vectors: Floats
    labeled: Positions
    candidates: Positions
    probabilities: Floats | None = None
    features: Floats | None = None
    draws: Floats | None = None


class QueryStrategy(ABC):
    """Chooses what is worth a person's time. Constructed as `Strategy(config)`."""

    Config: ClassVar[type[Config]]
    fits: ClassVar[tuple[str, ...]] = ()
    needs_model: ClassVar[bool] = False  # True: `pool.probabilities` must be there
    needs_features: ClassVar[bool] = False  # True: `pool.features` must be there
    draws: int = 0  # so many `pool.draws` must be there
    why: ClassVar[str]  # one sentence for a person; may use {guess} {confidence} {runner_up} {runner_up_confidence}

    @abstractmethod
    def query(self, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        """`(min(budget, M),)` distinct positions out of `pool.candidates`, most useful first."""

    def settle(self, pool: Pool) -> "tuple[QueryStrategy, str]":
        """Which strategy asks, and one sentence why it; itself and nothing to say, for all that do not choose."""
        return self, ""
