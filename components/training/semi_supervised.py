"""One semi-supervised network: few labels and the pool's pictures in, class distributions of the pool out."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from components.core import plugins
from components.core.config import PluginChoice
from components.core.seeds import derive
from components.methods.contracts import Floats, PoolTask, Positions, SemiSupervisedNetwork
from components.models.classifier import Classifier, ClassifierSpec
from components.models.encoder_file import EncoderSpec, build_encoder, load_encoder
from components.models.linear_head import fit_linear
from components.training.corpus import Corpus
from components.training.inference import predict
from components.training.loop import Labeled, LoopConfig, Row, train
from components.training.precision import choose_device

Tell = Callable[[int, int, Row], None]  # an epoch's number, counted through all rounds; of how many; its row
L2 = 0.01  # of the probe that a pretrained network's head starts from


class NetworkConfig(LoopConfig):
    """How a network is trained; methods that see vectors alone have no use for it.

    epochs, batch_size: over the pool and the repeated labels together; start: the pretrained encoder with the linear
    probe of the labels as its head, or the same network with random weights; labeled_share: labels are repeated until
    they are this share of an epoch.
    """

    epochs: int = Field(default=20, ge=1)
    batch_size: int = Field(default=128, ge=2)
    start: Literal["pretrained", "scratch"] = "pretrained"
    labeled_share: float = Field(default=0.25, gt=0, lt=1)


def label_pool(
    choice: PluginChoice,
    task: PoolTask,
    corpus: Corpus,
    encoder: Path,
    config: NetworkConfig,
    *,
    on_epoch: Tell | None = None,
) -> Floats:
    """`(N, K)` class distributions, rows sum to 1, by a network trained for this task; labeled samples keep theirs.

    corpus: the pool's N samples; encoder: the file of the pretrained one.
    """
    unlabeled = np.setdiff1d(np.arange(len(corpus.rows)), task.labeled)
    probabilities = np.empty((len(corpus.rows), task.targets.shape[1]), np.float32)
    if len(unlabeled):
        method, spec = _begin(choice, task, encoder, config, len(unlabeled))
        _train(method, _data(task, corpus, unlabeled, config.labeled_share), config, task.seed, on_epoch)
        classes = [str(number) for number in range(task.targets.shape[1])]
        final = Classifier(*method.classifier(), ClassifierSpec(encoder=spec, classes=classes, method=choice.name))
        probabilities = predict(final, corpus.samples, corpus.rows)
    probabilities[task.labeled] = task.targets
    return probabilities


def _begin(
    choice: PluginChoice, task: PoolTask, file: Path, config: NetworkConfig, unlabeled: int
) -> tuple[SemiSupervisedNetwork, EncoderSpec]:
    encoder, spec = load_encoder(file)
    torch.manual_seed(derive(task.seed, "weights"))
    if config.start == "scratch":
        encoder, head = build_encoder(spec), nn.Linear(spec.dim, task.targets.shape[1])
    else:
        weights = np.ones(len(task.labeled), np.float32)
        head, _ = fit_linear(task.vectors, task.labeled, task.targets, weights, l2=L2)
    parts, kind = (encoder, head, unlabeled), encoder.given.kind
    method: SemiSupervisedNetwork = plugins.build(
        "semi_supervised", choice, *parts, where="pseudo_label.method", kind=kind
    )
    return method, spec


def _data(task: PoolTask, corpus: Corpus, unlabeled: Positions, labeled_share: float) -> Labeled:
    """The unlabeled samples, so that their keys come first, then the labeled ones over and over."""
    wanted = labeled_share / (1 - labeled_share) * len(unlabeled)
    met = np.tile(np.arange(len(task.labeled)), max(1, math.ceil(wanted / len(task.labeled))))
    nothing = np.zeros((len(unlabeled), task.targets.shape[1]), np.float32)
    return Labeled(
        samples=corpus.samples,
        rows=corpus.rows[np.concatenate([unlabeled, task.labeled[met]])],
        views=corpus.views,
        targets=np.concatenate([nothing, task.targets[met]]),
        weights=np.concatenate([nothing[:, 0], np.ones(len(met), np.float32)]),
    )


def _train(
    method: SemiSupervisedNetwork,
    data: Labeled,
    config: NetworkConfig,
    seed: int,
    on_epoch: Tell | None,
) -> None:
    epochs = method.rounds * config.epochs
    for number in range(method.rounds):
        before = number * config.epochs

        def tell(epoch: int, row: Row, before: int = before) -> None:
            if on_epoch:
                on_epoch(before + epoch, epochs, row)

        method.before_round(number)
        train(method, data, config, seed=derive(seed, "round", number), on_epoch=tell, device=choose_device())
