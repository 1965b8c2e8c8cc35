"""The same network from nothing but the labels: what pretraining has to beat."""

import math

import numpy as np
import torch
from torch import nn

from components.core.config import PluginChoice
from components.core.plugins import build
from components.core.seeds import derive
from components.methods.contracts import AdaptationMethod
from components.models.encoder_file import EncoderSpec, build_encoder
from components.models.encoders import Encoder
from components.training.adapt import Examples
from components.training.corpus import Corpus
from components.training.loop import Labeled, LoopConfig, train
from components.training.precision import choose_device

STEPS, PASSES, BATCH, RATE, EPOCHS = 150, 40, 32, 0.002, 15  # at least so many steps, and passes over the labels
CHEAP = 1_000_000_000  # numbers that all of its trainings look at: minutes on two cores
VIEW = "weak"


def steps_for(labels: int) -> int:
    """How many steps a training on so many labels takes."""
    return max(STEPS, math.ceil(PASSES * labels / BATCH))


def numbers_seen(spec: EncoderSpec, trainings: int, labels: int) -> int:
    """How many numbers of samples (pixels of each color, for pictures) so many trainings look at."""
    return trainings * steps_for(labels) * BATCH * math.prod(max(side, 1) for side in spec.inputs.given.shape)


def train_from_scratch(
    spec: EncoderSpec, corpus: Corpus, examples: Examples, classes: int, *, seed: int
) -> tuple[Encoder, nn.Module]:
    """Encoder and head after `steps_for` the examples, repeated to fill the steps, under the policy `VIEW`."""
    torch.manual_seed(derive(seed, "from scratch"))
    encoder = build_encoder(spec)
    choice = PluginChoice.model_validate({"name": "full", "view": VIEW})
    method: AdaptationMethod = build(
        "adaptation", choice, encoder, classes, where="finetune.method", kind=encoder.given.kind
    )
    labels = len(examples.positions)
    met = np.resize(np.arange(labels), math.ceil(steps_for(labels) / EPOCHS) * BATCH)
    data = Labeled(
        samples=corpus.samples,
        rows=examples.positions[met],
        views=corpus.views.by(spec.inputs.statistics),
        targets=examples.targets[met],
        weights=examples.weights[met],
    )
    loop = LoopConfig(epochs=EPOCHS, batch_size=BATCH, learning_rate=RATE)
    train(method, data, loop, seed=derive(seed, "from scratch"), device=choose_device())
    return method.encoder, method.head
