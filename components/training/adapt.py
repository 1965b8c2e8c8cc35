"""One adaptation: an encoder and examples in, a classifier out; the head is solved, then the loop goes on if it may."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from components.core.config import PluginChoice
from components.core.registry import build
from components.core.seeds import derive
from components.datasets.sample_store import Samples
from components.methods.contracts import AdaptationMethod, Floats, Positions
from components.modalities.image.policy import Policies
from components.models.encoder_file import load_encoder
from components.training.inference import embed_all
from components.training.loop import LoopConfig, Row, TrainingData, train
from components.training.precision import choose_device


@dataclass(frozen=True)
class Material:
    """What every adaptation of one run shares.

    samples: `(N, C, S, S)` uint8; vectors: `(N, D)` of the encoder at `encoder`; pool: positions of the training split,
    ascending; classes: their number.
    """

    samples: Samples
    vectors: Floats
    pool: Positions
    policies: Policies
    encoder: Path
    classes: int


@dataclass(frozen=True)
class Examples:
    """What one model learns from: `(M,)` positions, `(M, K)` distributions, `(M,)` weights.

    repeats: `(M,)`, how often the loop meets each in an epoch.
    """

    positions: Positions
    targets: Floats
    weights: Floats
    repeats: Positions

    def joined(self, other: "Examples") -> "Examples":
        """These examples, then the others."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Examples(*(np.concatenate(pair) for pair in pairs))


def adapt(
    choice: PluginChoice,
    material: Material,
    examples: Examples,
    loop: LoopConfig,
    *,
    seed: int,
    on_epoch: Callable[[int, Row], None] | None = None,
) -> tuple[AdaptationMethod, list[Row]]:
    """The trained method and its history: row 0 is the solved head, then one row per epoch of the loop.

    With `loop.epochs` 0, or a method that keeps the encoder frozen, the head is all that is trained.
    """
    encoder, spec = load_encoder(material.encoder)
    torch.manual_seed(derive(seed, "weights"))
    method: AdaptationMethod = build("adaptation", choice, encoder, material.classes, where="finetune.method")
    rows = np.searchsorted(material.pool, examples.positions)

    def solve(vectors: Floats) -> float:
        return method.fit_head(vectors, rows, examples.targets, examples.weights)

    given = material.vectors[material.pool]
    loss = solve(given)
    history: list[Row] = [{"epoch": 0.0, "loss": loss, "learning_rate": 0.0}]
    if loop.epochs and not method.frozen_encoder:
        met = np.repeat(np.arange(len(examples.positions)), examples.repeats)
        data = TrainingData(
            samples=material.samples,
            positions=examples.positions[met],
            policies=material.policies,
            targets=examples.targets[met],
            weights=examples.weights[met],
        )
        history += train(method, data, loop, seed=seed, on_epoch=on_epoch, device=choose_device())
    trained = len(history) > 1
    method.finish(lambda: solve(embed_all(method.encoder, spec, material.samples, material.pool) if trained else given))
    return method, history
