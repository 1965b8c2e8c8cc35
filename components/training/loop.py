"""The one training loop: any trainable method, on any kind of data, on one worker or many, resumable to the bit."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, distributed, nn

from components.core.config import Config
from components.core.device import laid_out, to_device
from components.core.errors import WinnowError
from components.core.seeds import derive, torch_generator
from components.methods.contracts import Batch, TrainableMethod
from components.modalities import View
from components.modalities.views import Views
from components.models.ema import MovingAverage
from components.training.checkpoints import Checkpoint, CheckpointStore
from components.training.corpus import Corpus
from components.training.optimizers import (
    Name,
    build_optimizer,
    optimizer_tensors,
    rate_factor,
    restore_optimizer,
    set_rates,
)
from components.training.pools import in_pools, lengths_of
from components.training.precision import Precision, autocast
from components.training.synced_batch_norm import sync_batch_norm

Row = dict[str, float]


class LoopConfig(Config):
    """How long and how fast to train.

    batch_size: of all workers together; warmup_epochs: of linear warm-up; ema: decay of the running mean of weights
    that replaces the last step's at the end; clip: largest norm of the gradient.
    """

    epochs: int = Field(default=100, ge=0)
    batch_size: int = Field(default=256, ge=2)
    learning_rate: float = Field(default=0.001, gt=0)
    weight_decay: float = Field(default=0.0001, ge=0)
    warmup_epochs: float = Field(default=1.0, ge=0)
    optimizer: Name = "adamw"
    precision: Precision = "auto"
    ema: float | None = Field(default=None, gt=0, lt=1)
    clip: float | None = Field(default=None, gt=0)


@dataclass(frozen=True)
class Labeled(Corpus):
    """A corpus whose rows have targets, `(M, K)` class distributions, and weights `(M,)`."""

    targets: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]


def train(
    method: TrainableMethod,
    data: Corpus,
    config: LoopConfig,
    *,
    seed: int,
    on_epoch: Callable[[int, Row], None] | None = None,
    measure: Callable[[], Row] | None = None,
    resume: CheckpointStore | None = None,
    device: torch.device | None = None,
    rank: int = 0,
    world: int = 1,
) -> list[Row]:
    """Train `method` in place; one row per epoch: `epoch`, `loss`, the method's metrics, `measure`'s, `learning_rate`.

    Any number of workers makes the steps of one, to rounding: same batches, synchronized batch norm. on_epoch: called
    on every worker after each epoch, and for those of a resumed checkpoint. resume: where checkpoints go and come from;
    the run that goes on from one is the run that was never stopped. Left in training mode, on `device`.

    Raises WinnowError for a loss or weights that are not finite, an unknown view, or a batch that workers cannot share.
    """
    run = _Run(method, data, config, seed=seed, device=device or torch.device("cpu"), rank=rank, world=world)
    history = run.restore(resume) if resume else []
    for row in history:
        _tell(on_epoch, row)
    for epoch in range(len(history) + 1, config.epochs + 1):
        row = run.epoch(epoch)
        row = {**row, **(measure() if measure else {}), "learning_rate": run.rate}
        history.append(row)
        if epoch == config.epochs:
            run.finish()
        if resume and rank == 0:
            resume.save(Checkpoint(epoch, run.state(), history))
        _tell(on_epoch, row)
    return history


class _Run:
    """What changes from step to step."""

    def __init__(
        self,
        method: TrainableMethod,
        data: Corpus,
        config: LoopConfig,
        *,
        seed: int,
        device: torch.device,
        rank: int,
        world: int,
    ) -> None:
        self.method, self.data, self.config, self.seed = method, data, config, seed
        self.device, self.rank, self.world = device, rank, world
        self.looks = _looks(method, data.views)
        self.batch = _batch_size(config.batch_size, len(data.rows), world)
        self.steps = len(data.rows) // self.batch  # per epoch
        method.to(device=device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.step_module: nn.Module = _Step(method)
        if world > 1:
            sync_batch_norm(method)
            self.step_module = nn.parallel.DistributedDataParallel(self.step_module, forward_sync_buffers=False)
        self.optimizer, self.rates = build_optimizer(
            method, config.optimizer, learning_rate=config.learning_rate, weight_decay=config.weight_decay
        )
        self.average = MovingAverage(method, config.ema) if config.ema else None
        self.rate = 0.0

    def epoch(self, epoch: int) -> Row:
        """One pass over the data; the mean of loss and metrics over its steps and workers."""
        torch.manual_seed(derive(self.seed, "epoch", epoch, self.rank))  # for networks that draw, such as by dropout
        self.method.before_epoch(self._vectors, torch_generator(self.seed, "before epoch", epoch))
        sums: dict[str, Tensor | float] = {}
        for step, batch in enumerate(self._batches(self._order(epoch), epoch)):
            figures = self._step(batch, (epoch - 1) * self.steps + step)
            sums = {name: sums.get(name, 0.0) + value for name, value in figures.items()}
        row = self._mean(sums)
        if not (np.isfinite(row["loss"]) and all(bool(p.isfinite().all()) for p in self.method.parameters())):
            raise WinnowError(
                f"training diverged in epoch {epoch} (loss {row['loss']:.3g}): lower learning_rate, lengthen "
                "warmup_epochs, or set clip to 1."
            )
        return {"epoch": float(epoch), **row}

    def _order(self, epoch: int) -> npt.NDArray[np.int64]:
        order = torch.randperm(len(self.data.rows), generator=torch_generator(self.seed, "order", epoch)).numpy()
        lengths = lengths_of(self.data) if self.method.apart else None
        return order if lengths is None else in_pools(order, lengths, self.batch, self.seed, epoch)

    def _batches(self, order: npt.NDArray[np.int64], epoch: int) -> Iterator[Batch]:
        """The epoch's batches; beside an accelerator each is made while the step before it runs."""
        if self.device.type == "cpu":
            yield from (self._batch(order, step, epoch) for step in range(self.steps))
            return
        with ThreadPoolExecutor(1) as maker:
            coming = maker.submit(self._batch, order, 0, epoch)
            for step in range(1, self.steps + 1):
                batch = coming.result()
                if step < self.steps:
                    coming = maker.submit(self._batch, order, step, epoch)
                yield batch

    def _batch(self, order: npt.NDArray[np.int64], step: int, epoch: int) -> Batch:
        share = self.batch // self.world
        start = step * self.batch + self.rank * share
        keys = order[start : start + share]
        records = self._records(keys)
        views = [
            laid_out(look(records, keys, derive(self.seed, "view", epoch, number)))
            for number, look in enumerate(self.looks)
        ]
        targets, weights = self._labels(keys) if isinstance(self.data, Labeled) else (None, None)
        generator = torch_generator(self.seed, "draws", epoch, step)
        return Batch(views, targets, weights, to_device(torch.from_numpy(keys), self.device), generator)

    def _records(self, keys: npt.NDArray[np.int64]) -> Tensor:
        return to_device(torch.from_numpy(np.asarray(self.data.samples[self.data.rows[keys]])), self.device)

    def _labels(self, keys: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        assert isinstance(self.data, Labeled)
        targets, weights = (torch.from_numpy(values[keys]) for values in (self.data.targets, self.data.weights))
        return to_device(targets, self.device), to_device(weights, self.device)

    def _vectors(self) -> Tensor:
        """The encoder's `(N, D)` vectors of all samples, unchanged; each worker makes its share of them."""
        plain, count = self.data.views.plain, len(self.data.rows)
        share = -(-count // self.world)
        own = np.arange(self.rank * share, (self.rank + 1) * share).clip(max=count - 1)  # the last share repeats
        encoder = self.method.encoder.eval()
        with torch.no_grad():
            parts = []
            for keys in np.array_split(own, -(-share // self.batch)):
                view = laid_out(plain(self._records(keys)))
                with autocast(self.config.precision, self.device):
                    parts.append(encoder(view).float())
        encoder.train()
        vectors = torch.cat(parts)
        if self.world > 1:
            gathered = [torch.empty_like(vectors) for _ in range(self.world)]
            distributed.all_gather(gathered, vectors)
            vectors = torch.cat(gathered)
        return vectors[:count]

    def _step(self, batch: Batch, number: int) -> dict[str, Tensor | float]:
        total = self.steps * self.config.epochs
        warmup = round(self.config.warmup_epochs * self.steps)
        set_rates(self.optimizer, self.rates, rate_factor(number, steps=total, warmup=warmup))
        self.rate = self.optimizer.param_groups[0]["lr"]
        with autocast(self.config.precision, self.device):
            loss, metrics = self.step_module(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.config.clip:
            nn.utils.clip_grad_norm_(self.method.parameters(), self.config.clip)
        self.optimizer.step()
        if self.average:
            self.average.update(self.method)
        self.method.after_step((number + 1) / total)
        return {"loss": loss.detach(), **metrics}

    def _mean(self, sums: dict[str, Tensor | float]) -> Row:
        means = torch.stack([torch.as_tensor(value, device=self.device).double() for value in sums.values()])
        means /= self.steps * self.world
        if self.world > 1:
            distributed.all_reduce(means)
        return dict(zip(sums, means.tolist(), strict=True))

    def state(self) -> dict[str, Tensor]:
        """All tensors a checkpoint needs, on the CPU."""
        groups = {"method": self.method.state_dict(), "optimizer": optimizer_tensors(self.optimizer)}
        if self.average:
            groups["average"] = self.average.state()
        return {f"{group}/{name}": value.cpu() for group, values in groups.items() for name, value in values.items()}

    def restore(self, store: CheckpointStore) -> list[Row]:
        """Go on from the newest checkpoint, if there is one; its history. The last holds the finished weights."""
        own = {f"method/{name}": value for name, value in self.method.state_dict().items()}
        checkpoint = store.newest(like=own)
        if checkpoint is None:
            return []
        groups: dict[str, dict[str, Tensor]] = {"method": {}, "optimizer": {}, "average": {}}
        for key, value in checkpoint.tensors.items():
            group, name = key.split("/", 1)
            groups[group][name] = value
        self.method.load_state_dict(groups["method"])
        restore_optimizer(self.optimizer, groups["optimizer"])
        if self.average:
            self.average.restore(groups["average"])
        return checkpoint.history

    def finish(self) -> None:
        """The running mean of the weights takes their place."""
        if self.average:
            self.average.copy_to(self.method)


class _Step(nn.Module):
    """`training_step` as a forward pass, which is what data-parallel training wraps."""

    def __init__(self, method: TrainableMethod) -> None:
        super().__init__()
        self.method = method

    def forward(self, batch: Batch) -> tuple[Tensor, Mapping[str, Tensor | float]]:
        output = self.method.training_step(batch)
        return output.loss, output.metrics


def _looks(method: TrainableMethod, views: Views) -> list[View]:
    missing = sorted(name for name in set(method.views) if name not in views)
    if missing:
        raise WinnowError(
            f"{type(method).__name__} wants the view '{missing[0]}': add a policy of that name to augment.policies in "
            "params.yaml."
        )
    return [views[name] for name in method.views]


def _batch_size(wanted: int, samples: int, world: int) -> int:
    """`wanted`, or all samples where there are fewer; what is left over after whole batches waits for another epoch."""
    size = wanted if samples >= wanted else samples - samples % world
    if size % world or size // world < 2:
        raise WinnowError(
            f"{world} workers cannot share batches of {size} samples evenly, with at least 2 for each: choose another "
            "batch_size, or fewer workers."
        )
    return size


def _tell(on_epoch: Callable[[int, Row], None] | None, row: Row) -> None:
    if on_epoch:
        on_epoch(int(row["epoch"]), row)
