"""Pretraining as one worker sees it: settings and paths in, checkpoints out; nothing about who else is working."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from components.core import seeds
from components.core.config import Config, PluginChoice
from components.core.registry import build
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.sample_store import Pixels, open_samples
from components.judging.health import check, health, projected_health
from components.methods.contracts import SelfSupervisedMethod, TrainableMethod
from components.modalities.image.augment import Augment
from components.modalities.image.mosaic import pixels_of
from components.modalities.image.policy import Policies, Policy, read_policies
from components.models.start_weights import load_start
from components.training.checkpoints import CheckpointStore
from components.training.loop import LoopConfig, Row, TrainingData, train
from components.training.precision import choose_device

WATCHED = 256  # pictures that health is measured on
SHOWN = 12


class Job(Config):
    """All that a worker needs to know; paths are read where it runs.

    threads: of each worker; weights: a file that the encoder starts from.
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


def pretrain(
    job: Job, *, rank: int = 0, world: int = 1, on_epoch: Callable[[int, Row], None] | None = None
) -> tuple[SelfSupervisedMethod, list[Row]]:
    """The trained method and its history. The last checkpoint stays, for whoever waits elsewhere.

    Without any epoch, the history is one row, numbered 0, of the encoder's health.

    Raises WinnowError as `train` does, and when the vectors collapse.
    """
    seeds.deterministic(job.threads)
    samples, policies = open_samples(job.samples), read_policies(job.policy)
    positions = positions_of(read_manifest(job.manifest, ["split"]), "train")
    method = build_method(job, samples)
    device = choose_device()
    measure = watch(method, samples, positions[watched_rows(len(positions), job.seed)], policies, device, job.seed)
    history = train(
        method,
        TrainingData(samples, positions, policies),
        job.loop,
        seed=job.seed,
        on_epoch=on_epoch,
        measure=measure,
        resume=CheckpointStore(job.checkpoints),
        device=device,
        rank=rank,
        world=world,
    )
    return method, history or [{"epoch": 0, **measure()}]


def trained_method(job: Job) -> SelfSupervisedMethod:
    """The method out of the newest checkpoint, wherever it was trained."""
    checkpoint = CheckpointStore(job.checkpoints).newest()
    assert checkpoint is not None
    method = build_method(job.model_copy(update={"weights": None}), open_samples(job.samples))
    weights = {key.removeprefix("method/"): value for key, value in checkpoint.tensors.items() if key[:7] == "method/"}
    method.load_state_dict(weights)
    return method


def shown(method: SelfSupervisedMethod, job: Job) -> dict[str, Pixels]:
    """What the trained method shows of a few training pictures, by caption: pixels `(M, C, S, S)`. Often nothing."""
    samples, policies = open_samples(job.samples), read_policies(job.policy)
    positions = positions_of(read_manifest(job.manifest, ["split"]), "train")
    rows = np.sort(seeds.numpy_generator(job.seed, "shown").permutation(positions)[:SHOWN])
    device = next(method.parameters()).device
    pictures = torch.from_numpy(np.asarray(samples[rows])).to(device)
    views = Augment(Policy(), policies.mean, policies.std)(pictures, rows, 0)
    method.eval()
    with torch.no_grad():
        pages = method.show(views, seeds.torch_generator(job.seed, "show"))
    return {caption: pixels_of(page, policies.mean, policies.std) for caption, page in pages.items()}


def build_method(job: Job, samples: Pixels) -> SelfSupervisedMethod:
    """The method with its initial weights, the same on every worker."""
    torch.manual_seed(seeds.derive(job.seed, "weights"))
    channels, image_size = samples.shape[1:3]
    encoder = build("encoder", job.encoder, channels, image_size, where="pretrain.encoder")
    if job.weights:
        load_start(job.weights, encoder)  # before the method, which may copy it
    method: SelfSupervisedMethod = build("self_supervised", job.method, encoder, where="pretrain.method")
    return method


def watched_rows(count: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Which of `count` training pictures health is measured on: `(min(count, 256),)`, in order."""
    return np.sort(seeds.numpy_generator(seed, "watched").permutation(count)[:WATCHED])


def watch(
    method: TrainableMethod,
    samples: Pixels,
    rows: np.ndarray[tuple[int], np.dtype[np.int64]],
    policies: Policies,
    device: torch.device,
    seed: int,
) -> Callable[[], Row]:
    """What measures the health of `method`, not trained yet, on the same two views of the same pictures each epoch."""
    pictures = torch.from_numpy(np.asarray(samples[rows])).to(device)
    names = (method.views * 2)[:2]  # a method that sees a single view is measured on two of them
    augments = [Augment(policies.policies[name], policies.mean, policies.std) for name in names]
    views = [augment(pictures, rows, seeds.derive(seed, "health", i)) for i, augment in enumerate(augments)]

    method.to(device)
    *_, start = _looked_at(method, views)

    def measure() -> Row:
        first, second, projected = _looked_at(method, views)
        figures = health(first, second)
        check(figures)
        return figures if projected is None or start is None else {**figures, **projected_health(projected, start)}

    return measure


def _looked_at(method: TrainableMethod, views: list[Tensor]) -> tuple[Tensor, Tensor, Tensor | None]:
    """The encoder's vectors of both views, and what the loss would compare of the first."""
    method.eval()
    with torch.inference_mode():
        first, second = (method.encoder(view) for view in views)
        projected = method.project(first) if isinstance(method, SelfSupervisedMethod) else None
    method.train()
    return first, second, projected
