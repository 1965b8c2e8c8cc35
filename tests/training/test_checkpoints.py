"""Checkpoints: the newest whole one counts, whatever was done to the others."""

import errno
import json
import logging
import resource
from pathlib import Path

import pytest
import torch

from components.core.errors import Unavailable
from components.training.checkpoints import KEPT, Checkpoint, CheckpointStore


def _saved(folder: Path, epochs: int = 2) -> CheckpointStore:
    store = CheckpointStore(str(folder))
    for epoch in range(1, epochs + 1):
        history = [{"epoch": float(e), "loss": 0.1 * e} for e in range(1, epoch + 1)]
        store.save(Checkpoint(epoch, {"weight": torch.full((3,), float(epoch))}, history))
    return store


def test_the_newest_comes_back_as_it_was(tmp_path: Path) -> None:
    checkpoint = _saved(tmp_path).newest()
    assert checkpoint is not None
    assert checkpoint.epoch == 2
    assert checkpoint.tensors["weight"].tolist() == [2, 2, 2]
    assert checkpoint.history == [{"epoch": 1.0, "loss": 0.1}, {"epoch": 2.0, "loss": 0.2}]


def test_only_the_newest_are_kept_and_none_after_clearing(tmp_path: Path) -> None:
    store = _saved(tmp_path / "run", epochs=5)
    assert len(list((tmp_path / "run").glob("*.json"))) == len(list((tmp_path / "run").glob("*.safetensors"))) == KEPT
    store.clear()
    assert not (tmp_path / "run").exists()
    assert store.newest() is None


def test_what_another_process_removed_first_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = _saved(tmp_path, epochs=4)
    monkeypatch.setattr(store, "_epochs", lambda: [1, 2, 4, 5])  # as listed before a worker without a driver went on
    store.save(Checkpoint(5, {"weight": torch.ones(3)}, []))
    monkeypatch.undo()
    newest = store.newest()
    assert newest is not None
    assert newest.epoch == 5


def test_leftovers_that_cannot_be_removed_are_named_and_fail_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = _saved(tmp_path / "run")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOTEMPTY, "Directory not empty")

    monkeypatch.setattr(store.files, "rm", refuse)
    store.clear()
    assert f"the checkpoints at {tmp_path / 'run'} could not all be removed" in caplog.text


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "a flipped bit": ("safetensors", _flip),
    "a truncated file": ("safetensors", lambda path: path.write_bytes(path.read_bytes()[:-3])),
    "a missing file": ("safetensors", Path.unlink),
    "half a manifest": ("json", lambda path: path.write_text('{"schema": 1')),
    "a manifest without a hash": ("json", lambda path: path.write_text('{"schema": 1}')),
    "another schema": ("json", lambda path: path.write_text(json.dumps({"schema": 99}))),
    "an empty manifest": ("json", lambda path: path.write_text("")),
    "a manifest that is a list": ("json", lambda path: path.write_text("[]")),
    "the manifest of another epoch": ("json", lambda path: path.write_text(path.with_stem("000001").read_text())),
    "no bytes at all": ("safetensors", lambda path: path.write_bytes(b"")),
    "the weights of another epoch": (
        "safetensors",
        lambda path: path.write_bytes(path.with_stem("000001").read_bytes()),
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = _saved(tmp_path)
    suffix, damage = DAMAGE[kind]
    damage(tmp_path / f"000002.{suffix}")
    with caplog.at_level(logging.WARNING):
        checkpoint = store.newest()
    assert checkpoint is not None
    assert checkpoint.epoch == 1
    assert "checkpoint 2 is damaged" in caplog.text


@pytest.mark.parametrize("like", [{"weight": torch.zeros(4)}, {"bias": torch.zeros(3)}])
def test_a_checkpoint_of_another_network_is_named_and_not_used(
    tmp_path: Path, like: dict[str, torch.Tensor], caplog: pytest.LogCaptureFixture
) -> None:
    store = _saved(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert store.newest(like) is None
    assert "it is of another network" in caplog.text
    assert store.newest({"weight": torch.zeros(3)}) is not None


def test_files_that_are_no_checkpoints_are_not_looked_at(tmp_path: Path) -> None:
    store = _saved(tmp_path)
    (tmp_path / "notes.json").write_text("{}")
    assert store.newest() is not None


def test_weights_without_a_manifest_do_not_count(tmp_path: Path) -> None:
    store = _saved(tmp_path)
    (tmp_path / "000002.json").unlink()
    checkpoint = store.newest()
    assert checkpoint is not None
    assert checkpoint.epoch == 1


def test_the_history_is_read_without_the_weights(tmp_path: Path) -> None:
    store = _saved(tmp_path)
    (tmp_path / "000002.safetensors").unlink()
    assert [row["epoch"] for row in store.history()] == [1, 2]
    assert CheckpointStore(str(tmp_path / "nothing")).history() == []


def test_a_store_may_be_a_url() -> None:
    store = CheckpointStore("memory://somewhere/run")
    store.save(Checkpoint(1, {"weight": torch.ones(2)}, []))
    checkpoint = store.newest()
    assert checkpoint is not None
    assert checkpoint.tensors["weight"].tolist() == [1, 1]
    store.clear()


def test_a_full_disk_is_told_with_the_folder_and_the_checkpoint_before_stays(tmp_path: Path) -> None:
    store = _saved(tmp_path, epochs=1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match=f"File too large: '{tmp_path}'"):
            store.save(Checkpoint(2, {"weight": torch.zeros(10_000)}, []))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    newest = store.newest()
    assert newest is not None
    assert newest.epoch == 1


def test_a_storage_elsewhere_that_does_not_answer_is_not_a_damaged_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    store = CheckpointStore("memory://run")
    store.save(Checkpoint(1, {"weight": torch.zeros(3)}, []))

    def refuse(path: str) -> bytes:
        raise ConnectionError("nobody there")

    monkeypatch.setattr(store.files, "cat_file", refuse)
    with pytest.raises(Unavailable, match=r"the checkpoints at /run cannot be read \(nobody there\): try again"):
        store.newest()
    monkeypatch.undo()
    store.clear()
