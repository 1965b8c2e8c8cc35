"""Two workers make the steps of one: every self-supervised method, same samples, same whole batch."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed, multiprocessing

from components.core import plugins, seeds
from components.methods.contracts import SelfSupervisedMethod
from components.training.loop import LoopConfig, train
from components.training.synced_batch_norm import sync_batch_norm
from tests.contracts.built import batch_of, before_epoch, corpus_of, noisy, seen, self_supervised

METHODS = plugins.names("self_supervised")
SIZE, SAMPLES, BATCH = 16, 32, 16
# Adam's first steps would follow the sign of what is only rounding
LOOP = LoopConfig(epochs=3, batch_size=BATCH, learning_rate=0.01, precision="float32", optimizer="sgd", clip=1.0)


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what both workers made of every method: starting them once costs more than all they do."""
    folder = tmp_path_factory.mktemp("workers")
    multiprocessing.start_processes(_worker, (str(folder),), nprocs=2, start_method="spawn")
    return folder


def _worker(rank: int, folder: str) -> None:
    seeds.deterministic(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    for name in METHODS:
        made = {"losses": torch.tensor(_losses(name, rank=rank, world=2)), **_gradients(name, rank=rank, world=2)}
        torch.save(made, f"{folder}/{name}{rank}")
    distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_two_workers_have_the_gradient_of_one_to_the_last_digits(name: str, two_workers: Path) -> None:
    shares = [torch.load(two_workers / f"{name}{rank}", weights_only=True) for rank in (0, 1)]
    for key, gradient in _gradients(name).items():
        torch.testing.assert_close((shares[0][key] + shares[1][key]) / 2, gradient, rtol=1e-7, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_two_workers_have_the_loss_curve_of_one(name: str, two_workers: Path) -> None:
    seeds.deterministic(1)
    one, other = (torch.load(two_workers / f"{name}{rank}", weights_only=True)["losses"] for rank in (0, 1))
    assert torch.equal(one, other)
    torch.testing.assert_close(one, torch.tensor(_losses(name)), rtol=1e-3, atol=1e-4)


def _losses(name: str, *, rank: int = 0, world: int = 1) -> list[float]:
    method = self_supervised(name, SIZE)
    data = corpus_of(method.encoder.given.kind, SAMPLES, SIZE)
    history = train(method, data, LOOP, seed=0, rank=rank, world=world)
    return [row["loss"] for row in history]


def _gradients(name: str, *, rank: int = 0, world: int = 1) -> dict[str, Tensor]:
    """Of one step on this worker's share of the batch, in float64, where a difference is no rounding."""
    method = self_supervised(name, SIZE).double().train()
    assert isinstance(method, SelfSupervisedMethod)
    if world > 1:
        sync_batch_norm(method)
    samples = seen(method, BATCH, SIZE)
    samples = samples.double() if samples.is_floating_point() else samples
    before_epoch(method, samples)
    noise = torch.Generator().manual_seed(1)
    views = [noisy(samples, noise) for _ in method.views]
    keys = torch.arange(BATCH).chunk(world)[rank]
    method.training_step(batch_of(method, [view.chunk(world)[rank] for view in views], keys=keys)).loss.backward()
    return {key: value.grad for key, value in method.named_parameters() if value.grad is not None}
