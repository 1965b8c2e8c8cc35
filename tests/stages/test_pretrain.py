"""pretrain on a few real digits: what it writes, that it can be repeated, stopped and gone on with, here and on Ray."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from components.core import progress
from components.core.errors import WinnowError
from components.modalities.image.policy import Policy
from components.modalities.views import read_views, write_views
from components.models.encoder_file import load_encoder
from components.stages import pretrain
from components.training.pretraining import build_method
from tests.pictures import given, save_pictures, views_of
from tests.stages.few_digits import COUNT, SIZE, build, read_rows, run_stage, settings


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A project folder with few digits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WINNOW_STAGE_KEY", raising=False)
    return build(tmp_path)


def test_it_writes_an_encoder_that_loads_and_a_history_a_person_can_read(paths: dict[str, Path]) -> None:
    told: list[int] = []
    with progress.listening(lambda step, metrics: told.append(step)):
        outputs = run_stage(paths, "one", settings())
    encoder, spec = load_encoder(outputs["encoder"])
    assert (encoder.dim, spec.dim, spec.inputs.given, spec.inputs.statistics["mean"]) == (32, 32, given(1, SIZE), [0.3])
    rows = read_rows(outputs["history"])
    health = ["embedding_std", "effective_rank", "alignment", "uniformity", "projected_std", "rank_kept"]
    figures = ["loss", *health, "learning_rate"]
    assert list(rows[0]) == ["epoch", *figures]
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert told == [1, 2, 3]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_an_encoder_that_whitens_is_settled_on_training_samples(paths: dict[str, Path]) -> None:
    outputs = run_stage(
        paths, "one", settings(encoder={"name": "small_resnet", "width": 8, "whiten": True, "pixels": 4})
    )
    encoder, spec = load_encoder(outputs["encoder"])
    assert (encoder.dim, spec.dim) == (36, 36)
    assert encoder.whitening.mean.any()
    assert encoder.components.matrix.any()


def test_the_same_settings_give_the_same_bytes_and_leave_no_checkpoints(paths: dict[str, Path]) -> None:
    first, second = run_stage(paths, "one", settings()), run_stage(paths, "two", settings())
    other = run_stage(paths, "three", settings(seed=1))
    for name in first:
        assert first[name].read_bytes() == second[name].read_bytes()
    assert first["encoder"].read_bytes() != other["encoder"].read_bytes()
    assert list(Path(".winnow/checkpoints").iterdir()) == []


def test_test_pictures_are_not_trained_on(paths: dict[str, Path]) -> None:
    before = run_stage(paths, "one", settings())
    samples = np.load(paths["samples"])
    samples[::6] = 255 - samples[::6]  # the test split
    np.save(paths["samples"], samples)
    assert before["encoder"].read_bytes() == run_stage(paths, "two", settings())["encoder"].read_bytes()


def _stop_after(epoch: int) -> progress.Listener:
    def stop(step: int, metrics: object) -> None:
        if step == epoch:
            raise KeyboardInterrupt

    return stop


def test_a_stopped_run_goes_on_and_ends_as_if_never_stopped(paths: dict[str, Path]) -> None:
    whole = run_stage(paths, "one", settings())
    with pytest.raises(KeyboardInterrupt), progress.listening(_stop_after(2)):
        run_stage(paths, "two", settings())
    assert not (paths["samples"].parent / "two" / "history.csv").exists()
    resumed = run_stage(paths, "two", settings())
    for name in whole:
        assert whole[name].read_bytes() == resumed[name].read_bytes()


def test_other_settings_do_not_go_on_from_a_stopped_run(paths: dict[str, Path]) -> None:
    with pytest.raises(KeyboardInterrupt), progress.listening(_stop_after(2)):
        run_stage(paths, "one", settings())
    changed = run_stage(paths, "two", settings(learning_rate=0.001))
    assert (
        changed["encoder"].read_bytes()
        == run_stage(paths, "three", settings(learning_rate=0.001))["encoder"].read_bytes()
    )


def _moved(one: Path, other: Path) -> float:
    """How far apart two encoders' weights are, over the length of the first's."""
    first, second = (load_encoder(path)[0].stem[0].weight.detach() for path in (one, other))  # type: ignore[index]
    return float((first - second).norm() / first.norm())


def test_training_goes_on_from_given_weights_and_resumes_from_its_own_checkpoints(
    paths: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    first = run_stage(paths, "one", settings())
    more = settings(weights=first["encoder"], epochs=2, seed=5, learning_rate=1e-5)
    whole = run_stage(paths, "two", more)
    assert "pretrain: starts from encoder.safetensors: " in capsys.readouterr().err
    assert 0 < _moved(first["encoder"], whole["encoder"]) < 0.01
    random = run_stage(paths, "three", more.model_copy(update={"weights": None}))
    assert _moved(first["encoder"], random["encoder"]) > 0.5
    with pytest.raises(KeyboardInterrupt), progress.listening(_stop_after(1)):
        run_stage(paths, "four", more)
    resumed = run_stage(paths, "four", more)
    for name in whole:
        assert whole[name].read_bytes() == resumed[name].read_bytes()


def test_what_a_stopped_training_left_is_not_taken_for_other_data(paths: dict[str, Path]) -> None:
    with pytest.raises(KeyboardInterrupt), progress.listening(_stop_after(1)):
        run_stage(paths, "one", settings())
    views = read_views(paths["policy"])
    write_views(paths["policy"], views_of(views.policies, [0.4], [0.35]))
    after = run_stage(paths, "two", settings())
    shutil.rmtree(".winnow/checkpoints")
    assert after["history"].read_bytes() == run_stage(paths, "three", settings())["history"].read_bytes()


def test_every_worker_builds_its_method_on_the_given_weights(paths: dict[str, Path]) -> None:
    params = settings(weights=run_stage(paths, "one", settings())["encoder"], seed=3)
    job = pretrain._job(params, paths["manifest"], paths["samples"], paths["policy"], paths["weights"])
    weights = load_encoder(job.weights)[0].state_dict()  # type: ignore[arg-type]
    method = build_method(job, job.corpus())
    assert all(torch.equal(value, weights[name]) for name, value in method.encoder.state_dict().items())


def test_no_epochs_take_given_weights_as_they_are(paths: dict[str, Path]) -> None:
    first = run_stage(paths, "one", settings())
    taken = run_stage(paths, "two", settings(weights=first["encoder"], epochs=0, workers=1))
    assert taken["encoder"].read_bytes() == first["encoder"].read_bytes()
    (_, before), (_, spec) = load_encoder(first["encoder"]), load_encoder(taken["encoder"])
    assert spec.inputs == before.inputs
    assert spec.origin is not None
    assert (spec.origin.name, spec.origin.mean) == ("small_resnet", (0.3,))
    rows = read_rows(taken["history"])
    assert [row["epoch"] for row in rows] == ["0"]
    assert float(rows[0]["effective_rank"]) > 1.5
    with pytest.raises(WinnowError, match=r"pretrain.epochs is 0 and pretrain.weights empty"):
        run_stage(paths, "three", settings(epochs=0))


def test_weights_of_another_network_are_refused_before_training(paths: dict[str, Path]) -> None:
    first = run_stage(paths, "one", settings())
    told: list[int] = []
    with (
        pytest.raises(WinnowError, match=r"choose in pretrain\.encoder the network"),
        progress.listening(lambda step, metrics: told.append(step)),
    ):
        run_stage(paths, "two", settings(weights=first["encoder"], encoder={"name": "small_resnet", "width": 16}))
    assert told == []


def test_collapse_stops_the_stage(paths: dict[str, Path]) -> None:
    alike = np.full((COUNT, 1, SIZE, SIZE), 100, np.uint8)  # nothing to tell one from another by
    save_pictures(paths["samples"], alike)
    write_views(paths["policy"], views_of({"view": Policy()}, [0.3], [0.35]))
    with pytest.raises(WinnowError, match="pretraining has collapsed"):
        run_stage(paths, "one", settings())


def test_more_workers_than_processors_are_refused_at_once(paths: dict[str, Path]) -> None:
    with pytest.raises(WinnowError, match=r"pretrain.workers is 999, but this machine has \d+ processors"):
        run_stage(paths, "one", settings(workers=999))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray's own, when it starts and stops
def test_two_workers_on_ray_learn_what_one_learns_here(paths: dict[str, Path]) -> None:
    alone = read_rows(run_stage(paths, "one", settings(threads=1, precision="float32"))["history"])
    told: list[int] = []
    with progress.listening(lambda step, metrics: told.append(step)):
        outputs = run_stage(paths, "two", settings(threads=2, workers=2, precision="float32"))
    rows = read_rows(outputs["history"])
    assert told == [1, 2, 3]
    for ours, theirs in zip(rows, alone, strict=True):
        assert float(ours["loss"]) == pytest.approx(float(theirs["loss"]), rel=1e-3)
    load_encoder(outputs["encoder"])
    assert list(Path(".winnow/checkpoints").iterdir()) == []
