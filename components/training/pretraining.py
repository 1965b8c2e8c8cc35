"""Pretraining as one worker sees it: settings and paths in, checkpoints out; nothing about who else is working."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.core import seeds
from components.core.config import Config, PluginChoice
from components.core.plugins import build
from components.judging.collapse import check
from components.judging.health import health, projected_health
from components.methods.contracts import SelfSupervisedMethod, TrainableMethod
from components.models.at_once import at_once, looked_at
from components.models.encoders import Encoder
from components.models.given_weights import Origin, as_wanted
from components.models.start_weights import load_start
from components.training.checkpoints import CheckpointStore
from components.training.corpus import Corpus, open_corpus
from components.training.loop import LoopConfig, Row, train
from components.training.precision import choose_device

Array = npt.NDArray[Any]
WATCHED, LEAST_WATCHED = 256, 96  # samples that health is measured on, and of large ones at least
SHOWN = 12
SETTLED = 20_000


class Measure(Protocol):
    """Measures health; untrained: of the method as it was before training, whose vectors are known."""

    def __call__(self, *, untrained: bool = False) -> Row: ...


class Job(Config):
    """All that a worker needs to know; paths are read where it runs.

    threads: of each worker; weights: a file that the encoder starts from; origin: what belongs to them.
    """

    method: PluginChoice
    encoder: PluginChoice
    loop: LoopConfig
    manifest: Path
    samples: Path
    policy: Path
    checkpoints: str
    seed: int
    threads: int
    weights: Path | None = None
    origin: Origin | None = None

    def corpus(self) -> Corpus:
        """The training split, looked at as augment says, normalized or cut into words as the weights want it."""
        corpus = open_corpus(self.manifest, self.samples, self.policy)
        brought = corpus.views.modality.brought(self.weights) if self.weights else None
        if brought is not None:
            return corpus.by(brought)
        return corpus.by(as_wanted(self.origin, corpus.views.statistics)) if self.origin else corpus


def pretrain(
    job: Job, corpus: Corpus, *, rank: int = 0, world: int = 1, on_epoch: Callable[[int, Row], None] | None = None
) -> tuple[SelfSupervisedMethod, list[Row]]:
    """The trained method and its history. The last checkpoint stays, for whoever waits elsewhere.

    Without any epoch, the history is one row, numbered 0, of the encoder's health.

    Raises WinnowError as `train` does, and when the vectors collapse.
    """
    seeds.deterministic(job.threads)
    device = choose_device()
    method = build_method(job, corpus)
    measure = watch(method, watched(corpus, job.seed), device, job.seed)
    history = train(
        method,
        corpus,
        job.loop,
        seed=job.seed,
        on_epoch=on_epoch,
        measure=measure,
        resume=CheckpointStore(job.checkpoints),
        device=device,
        rank=rank,
        world=world,
    )
    return method, history or [{"epoch": 0, **measure(untrained=True)}]


def trained_method(job: Job, corpus: Corpus) -> SelfSupervisedMethod:
    """The method out of the newest checkpoint, wherever it was trained."""
    checkpoint = CheckpointStore(job.checkpoints).newest()
    assert checkpoint is not None
    method = build_method(job.model_copy(update={"weights": None}), corpus)
    weights = {key.removeprefix("method/"): value for key, value in checkpoint.tensors.items() if key[:7] == "method/"}
    method.load_state_dict(weights)
    return method


def settle(encoder: Encoder, corpus: Corpus, seed: int) -> None:
    """Let the trained encoder measure what it wants to know of the training samples, at most `SETTLED` of them."""
    rows = np.sort(seeds.numpy_generator(seed, "settle").permutation(corpus.rows)[:SETTLED])
    device = next(encoder.parameters()).device
    parts = np.array_split(rows, -(-len(rows) // at_once(encoder)))
    records = (torch.from_numpy(np.asarray(corpus.samples[part])).to(device) for part in parts)
    encoder.eval()
    with torch.no_grad():
        encoder.measure(corpus.views.plain(part) for part in records)


def shown(method: SelfSupervisedMethod, corpus: Corpus, seed: int) -> dict[str, Array]:
    """What the trained method shows of a few training samples, by caption: records `(M, *shape)`. Often nothing."""
    rows = np.sort(seeds.numpy_generator(seed, "shown").permutation(corpus.rows)[:SHOWN])
    device = next(method.parameters()).device
    views = corpus.views.plain(torch.from_numpy(np.asarray(corpus.samples[rows])).to(device))
    method.eval()
    with torch.no_grad():
        pages = method.show(views, seeds.torch_generator(seed, "show"))
    return {caption: corpus.views.restore(page) for caption, page in pages.items()}


def build_method(job: Job, corpus: Corpus) -> SelfSupervisedMethod:
    """The method with its initial weights, the same on every worker."""
    encoder = encoder_of(job, corpus)  # whole before the method, which may copy it
    method: SelfSupervisedMethod = build(
        "self_supervised", job.method, encoder, where="pretrain.method", kind=encoder.given.kind
    )
    return method


def encoder_of(job: Job, corpus: Corpus) -> Encoder:
    """The encoder that the job starts from, with the weights given to it, if any."""
    torch.manual_seed(seeds.derive(job.seed, "weights"))
    given = corpus.views.input
    encoder: Encoder = build("encoder", job.encoder, given, where="pretrain.encoder", kind=given.kind)
    if job.weights:
        load_start(job.weights, encoder)
    return encoder


def watched(corpus: Corpus, seed: int) -> Corpus:
    """The training samples that health is measured on, in order: at most 256, of large ones fewer."""
    most = looked_at(corpus.views.input.shape, WATCHED, LEAST_WATCHED)
    chosen = np.sort(seeds.numpy_generator(seed, "watched").permutation(len(corpus.rows))[:most])
    return replace(corpus, rows=corpus.rows[chosen])


def watch(method: TrainableMethod, seen: Corpus, device: torch.device, seed: int) -> Measure:
    """What measures the health of `method`, not trained yet, on the same two views of the same samples each epoch."""
    records = torch.from_numpy(np.asarray(seen.samples[seen.rows])).to(device)
    names = (method.views * 2)[:2]  # a method that sees a single view is measured on two of them
    views = [seen.views[name](records, seen.rows, seeds.derive(seed, "health", i)) for i, name in enumerate(names)]

    method.to(device)
    start = _looked_at(method, views)

    def measure(*, untrained: bool = False) -> Row:
        first, second, projected = start if untrained else _looked_at(method, views)
        figures, before = health(first, second), start[2]
        check(figures)
        return figures if projected is None or before is None else {**figures, **projected_health(projected, before)}

    return measure


def two_views(encoder: Encoder, seen: Corpus, seed: int) -> tuple[Tensor, Tensor]:
    """The encoder's vectors of two views of the same samples, as pretraining would look at them; left in evaluation."""
    device = choose_device()
    encoder.to(device).eval()
    records = torch.from_numpy(np.asarray(seen.samples[seen.rows])).to(device)
    name = "view" if "view" in seen.views else min(seen.views.policies)
    with torch.inference_mode():
        views = (seen.views[name](records, seen.rows, seeds.derive(seed, "health", i)) for i in range(2))
        first, second = (_in_parts(encoder, view) for view in views)
    return first, second


def _in_parts(encoder: Encoder, view: Tensor) -> Tensor:
    """The encoder's vectors; of large pictures not all at once."""
    return torch.cat([encoder(part) for part in torch.split(view, at_once(encoder))])


def _looked_at(method: TrainableMethod, views: list[Tensor]) -> tuple[Tensor, Tensor, Tensor | None]:
    """The encoder's vectors of both views, and what the loss would compare of the first."""
    method.eval()
    with torch.inference_mode():
        first, second = (_in_parts(method.encoder, view) for view in views)
        projected = method.project(first) if isinstance(method, SelfSupervisedMethod) else None
    method.train()
    return first, second, projected
