"""One adaptation: an encoder and examples in, a classifier out; the head is solved, then the loop goes on if it may."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from components.core.config import PluginChoice
from components.core.plugins import build
from components.core.seeds import derive
from components.methods.contracts import AdaptationMethod, Floats, Positions
from components.modalities import Plain
from components.models.encoder_file import load_encoder
from components.training.corpus import Corpus
from components.training.inference import embed_all
from components.training.loop import Labeled, LoopConfig, Row, train
from components.training.precision import choose_device


@dataclass(frozen=True)
class Material:
    """What every adaptation of one run shares.

    corpus: the training split, rows ascending; vectors: `(N, D)` of all samples, of the encoder at `encoder`; classes:
    their number.
    """

    corpus: Corpus
    vectors: Floats
    encoder: Path
    classes: int

    @cached_property
    def plain(self) -> Plain:
        """From records to what the encoder sees; one for all, since those of texts know what they have split."""
        return load_encoder(self.encoder)[1].inputs.plain


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
    kind, corpus = encoder.given.kind, material.corpus.by(spec.inputs.statistics)
    method: AdaptationMethod = build(
        "adaptation", choice, encoder, material.classes, where="finetune.method", kind=kind
    )
    rows = np.searchsorted(corpus.rows, examples.positions)
    plain = material.plain
    method.look(lambda places: plain(torch.from_numpy(np.asarray(corpus.samples[corpus.rows[places]]))))

    def solve(vectors: Floats) -> float:
        return method.fit_head(vectors, rows, examples.targets, examples.weights)

    given = material.vectors[corpus.rows]
    loss = solve(given)
    history: list[Row] = [{"epoch": 0.0, "loss": loss, "learning_rate": 0.0}]
    if loop.epochs and not method.frozen_encoder:
        met = np.repeat(np.arange(len(examples.positions)), examples.repeats)
        data = Labeled(
            samples=corpus.samples,
            rows=examples.positions[met],
            views=corpus.views,
            targets=examples.targets[met],
            weights=examples.weights[met],
        )
        history += train(method, data, loop, seed=seed, on_epoch=on_epoch, device=choose_device())
    trained = len(history) > 1
    method.finish(lambda: solve(embed_all(method.encoder, plain, corpus.samples, corpus.rows) if trained else given))
    return method, history
