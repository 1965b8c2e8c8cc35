"""A method tried for so many CPU seconds: how methods are compared at equal cost."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from components.core import seeds
from components.methods.contracts import TrainableMethod
from components.training.corpus import Corpus
from components.training.loop import Labeled, LoopConfig, Row, train

TIMED_STEPS = 3


@dataclass(frozen=True)
class Trial:
    """history: a row per epoch; epochs: passes over the whole data, in fractions; cpu_seconds: of all threads."""

    history: list[Row]
    epochs: float
    cpu_seconds: float
    samples_per_second: float


def run_trial(
    build: Callable[[], TrainableMethod],
    data: Corpus,
    loop: LoopConfig,
    cpu_seconds: float,
    *,
    seed: int,
    watch: Callable[[TrainableMethod], Callable[[], Row]] | None = None,
    device: torch.device | None = None,
) -> tuple[TrainableMethod, Trial]:
    """Train a fresh method for about `cpu_seconds` of this process: the steps are timed first, then counted out.

    `loop.epochs` is replaced by what fits. Where the time is no whole number of passes, each epoch sees a part of the
    data, the same one, so that the learning rate comes to its end in time. watch: of the fresh method, gives what to
    measure after each epoch.
    device: the CPU by default; on any other the seconds are the clock's.
    """
    device = device or torch.device("cpu")
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    per_step = _seconds_per_step(build(), data, loop, seed=seed, device=device, clock=clock)
    batch = min(loop.batch_size, len(data.rows))
    steps = max(1, round(cpu_seconds / per_step))
    whole = len(data.rows) // batch
    epochs = max(1, -(-steps // whole))
    kept = seeds.numpy_generator(seed, "trial").permutation(len(data.rows))[: max(1, steps // epochs) * batch]
    method = build()
    measure = watch(method) if watch else None
    began = clock()
    history = train(
        method,
        _part(data, np.sort(kept)),
        loop.model_copy(update={"epochs": epochs, "warmup_epochs": min(loop.warmup_epochs, epochs / 10)}),
        seed=seed,
        measure=measure,
        device=device,
    )
    spent = clock() - began
    seen = epochs * len(kept)
    return method, Trial(history, seen / len(data.rows), spent, seen / spent)


def _seconds_per_step(
    method: TrainableMethod,
    data: Corpus,
    loop: LoopConfig,
    *,
    seed: int,
    device: torch.device,
    clock: Callable[[], float],
) -> float:
    """Seconds of a step, the first few left out: they make buffers and choose algorithms."""
    few = np.arange(min(len(data.rows), loop.batch_size * TIMED_STEPS))
    ends: list[float] = []
    short = loop.model_copy(update={"epochs": 2})
    train(method, _part(data, few), short, seed=seed, device=device, on_epoch=lambda *_: ends.append(clock()))
    return (ends[1] - ends[0]) / (len(few) // min(loop.batch_size, len(few)))


def _part(data: Corpus, kept: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Corpus:
    part = replace(data, rows=data.rows[kept])
    return replace(part, targets=part.targets[kept], weights=part.weights[kept]) if isinstance(part, Labeled) else part
