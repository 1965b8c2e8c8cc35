"""The loop: repeatable, resumable to the bit, the same for one worker and two."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.core.errors import WinnowError
from components.core.seeds import deterministic
from components.methods.contracts import Batch, StepOutput, TrainableMethod
from components.methods.self_supervised.simclr import SimCLR
from components.modalities.image.policy import Policy
from components.models.encoders.small_resnet import SmallResnet
from components.training.checkpoints import CheckpointStore
from components.training.corpus import Corpus
from components.training.loop import Labeled, LoopConfig, Row, train
from tests.pictures import given, views_of

VIEWS = views_of({"view": Policy(crop=(0.5, 1.0)), "weak": Policy()}, [0.5], [0.25])
QUICK = LoopConfig(epochs=3, batch_size=16, learning_rate=0.01, precision="float32")

SMOOTH = QUICK.model_copy(update={"optimizer": "sgd"})  # Adam's first steps follow the sign of what is only rounding


class Weighing(TrainableMethod):
    """Learns one number; remembers the batches it saw."""

    views = ("weak",)

    class Config(BaseConfig):
        """Nothing to choose."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([1.0]))
        self.batches: list[Batch] = []
        self.progress: list[float] = []
        self.factor = 1.0

    def training_step(self, batch: Batch) -> StepOutput:
        self.batches.append(batch)
        return StepOutput(self.factor * self.scale.square().sum(), {"size": float(len(batch.views[0]))})

    def after_step(self, progress: float) -> None:
        self.progress.append(progress)


def _data(count: int = 40, size: int = 8) -> Corpus:
    samples = np.random.default_rng(0).integers(0, 256, (count, 1, size, size), dtype=np.uint8)
    return Corpus(samples, np.arange(count), VIEWS)


def _simclr() -> SimCLR:
    torch.manual_seed(0)
    return SimCLR(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), SimCLR.Config(hidden=16, projection=8))


def _weights(method: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in method.state_dict().items()}


def test_an_epoch_visits_each_sample_at_most_once_in_another_order_each_time() -> None:
    method, data = Weighing(), _data(40)
    seen = np.arange(40, dtype=np.float32)[:, None]
    train(method, Labeled(data.samples, data.rows, VIEWS, seen, np.ones(40, np.float32)), QUICK, seed=0)
    epochs = [
        torch.cat([batch.targets.flatten() for batch in method.batches[start : start + 2]]) for start in (0, 2, 4)
    ]
    assert all(len(torch.unique(epoch)) == 32 for epoch in epochs)  # the incomplete third batch is left out
    assert not torch.equal(epochs[0], epochs[1])
    assert method.progress == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])


def test_repeats_targets_and_weights_go_with_their_pictures() -> None:
    method, data = Weighing(), _data(4)
    positions = np.array([2, 2, 2, 3])
    weights = np.array([1.0, 1.0, 1.0, 5.0], np.float32)
    targets = np.eye(4, dtype=np.float32)[positions]
    train(method, Labeled(data.samples, positions, VIEWS, targets, weights), QUICK, seed=0)
    batch = method.batches[0]
    assert len(method.batches) == 3  # fewer samples than a batch: one batch of all
    assert batch.targets.sum(0).tolist() == [0, 0, 3, 1]
    rows = batch.targets.argmax(1)
    plain = (torch.from_numpy(data.samples[rows.numpy()]).float() / 255 - 0.5) / 0.25
    torch.testing.assert_close(batch.views[0], plain, atol=1e-4, rtol=1e-4)
    assert (batch.weights == torch.where(rows == 3, 5.0, 1.0)).all()


def test_the_history_has_loss_metrics_measures_and_rate() -> None:
    told: list[int] = []
    history = train(
        Weighing(),
        _data(),
        QUICK,
        seed=0,
        measure=lambda: {"health": 1.0},
        on_epoch=lambda epoch, row: told.append(epoch),
    )
    assert told == [1, 2, 3]
    assert list(history[0]) == ["epoch", "loss", "size", "health", "learning_rate"]
    assert history[0]["size"] == 16
    assert history[0]["loss"] > history[2]["loss"]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    deterministic(1)
    first, second, third = _simclr(), _simclr(), _simclr()
    data = _data(32, 16)
    assert train(first, data, QUICK, seed=0) == train(second, data, QUICK, seed=0)
    train(third, data, QUICK, seed=1)
    ours, theirs, others = _weights(first), _weights(second), _weights(third)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert not torch.equal(ours["encoder.stem.0.weight"], others["encoder.stem.0.weight"])


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_run_that_was_stopped_ends_as_the_one_that_was_not(tmp_path: Path, optimizer: str) -> None:
    deterministic(1)
    config = QUICK.model_copy(update={"optimizer": optimizer, "ema": 0.9, "clip": 1.0})
    data, whole, stopped, resumed = _data(32, 16), _simclr(), _simclr(), _simclr()
    history = train(whole, data, config, seed=3)

    def stop(epoch: int, row: Row) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    store = CheckpointStore(str(tmp_path / "run"))
    with pytest.raises(KeyboardInterrupt):
        train(stopped, data, config, seed=3, resume=store, on_epoch=stop)
    assert train(resumed, data, config, seed=3, resume=store) == history
    ours, theirs = _weights(whole), _weights(resumed)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    config = QUICK.model_copy(update={"ema": 0.5})
    store, first, second = CheckpointStore(str(tmp_path / "run")), Weighing(), Weighing()
    history = train(first, _data(), config, seed=0, resume=store)
    assert train(second, _data(), config, seed=0, resume=store) == history
    assert second.batches == []
    assert torch.equal(first.scale, second.scale)


def test_the_running_mean_of_the_weights_lags_behind_the_last_step() -> None:
    plain, averaged = Weighing(), Weighing()
    train(plain, _data(), QUICK, seed=0)
    train(averaged, _data(), QUICK.model_copy(update={"ema": 0.9}), seed=0)
    assert 1 > averaged.scale.item() > plain.scale.item()


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_run_with_advice(factor: float) -> None:
    method = Weighing()
    method.factor = factor
    with pytest.raises(WinnowError, match=r"diverged in epoch 1 .*: lower learning_rate"):
        train(method, _data(), QUICK, seed=0)


def test_a_view_without_a_policy_is_named() -> None:
    data = _data()
    bare = Corpus(data.samples, data.rows, views_of({}, [0.5], [0.25]))
    with pytest.raises(WinnowError, match="wants the view 'weak': add a policy of that name"):
        train(Weighing(), bare, QUICK, seed=0)


@pytest.mark.parametrize(("samples", "world"), [(40, 3), (1, 1), (3, 2)])
def test_a_batch_that_cannot_be_shared_is_refused(samples: int, world: int) -> None:
    with pytest.raises(WinnowError, match=f"{world} workers cannot share batches"):
        train(Weighing(), _data(samples), QUICK, seed=0, world=world)


def test_the_last_good_checkpoint_outlives_a_divergence_and_a_lower_rate_goes_on_from_it(tmp_path: Path) -> None:
    store, method = CheckpointStore(str(tmp_path / "run")), Weighing()

    def spoil(epoch: int, row: Row) -> None:
        method.factor = float("inf") if epoch == 2 else 1.0

    with pytest.raises(WinnowError, match="diverged in epoch 3"):
        train(method, _data(), QUICK, seed=0, resume=store, on_epoch=spoil)
    kept = store.newest()
    assert kept is not None
    assert kept.epoch == 2
    assert all(bool(value.isfinite().all()) for value in kept.tensors.values())
    assert [row["epoch"] for row in train(Weighing(), _data(), QUICK, seed=0, resume=store)] == [1, 2, 3]


def test_checkpoints_of_another_network_are_passed_over_and_training_begins_anew(tmp_path: Path) -> None:
    store, data = CheckpointStore(str(tmp_path / "run")), _data(32, 16)
    train(Weighing(), data, QUICK, seed=3, resume=store)
    fresh, other = _simclr(), _simclr()
    history = train(fresh, data, QUICK, seed=3)
    assert train(other, data, QUICK, seed=3, resume=store) == history
    assert all(torch.equal(value, _weights(other)[name]) for name, value in _weights(fresh).items())
