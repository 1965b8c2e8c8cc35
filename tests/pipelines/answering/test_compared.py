"""Two `dvc.lock`s beside each other: the first stage that made other bytes is named, with what it was given."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from components.core.installed import beside, installed
from pipelines.answering.compared import compare_stage, first_difference
from pipelines.answering.how_far import how_far

ORDER = ["code", "ingest", "pretrain", "embed"]


def _stage(deps: dict[str, str], outs: dict[str, str], params: dict[str, Any]) -> dict[str, Any]:
    return {
        "cmd": "run",
        "deps": [{"path": path, "md5": md5} for path, md5 in deps.items()],
        "params": {"params.yaml": params},
        "outs": [{"path": path, "md5": md5} for path, md5 in outs.items()],
    }


@pytest.fixture
def lock() -> dict[str, Any]:
    return {
        "code": _stage({"components": "c1.dir"}, {"data/code/pretrain.json": "p1"}, {"pretrain.method.name": "simclr"}),
        "ingest": _stage({"data/raw": "r1.dir"}, {"data/ingest/samples.npy": "s1"}, {"seed": 0}),
        "pretrain": _stage(
            {"data/ingest/samples.npy": "s1", "data/code/pretrain.json": "p1"},
            {"data/pretrain/encoder.safetensors": "e1"},
            {"pretrain": {"epochs": 80, "method": {"name": "simclr"}}},
        ),
        "embed": _stage({"data/pretrain/encoder.safetensors": "e1"}, {"data/embed/embeddings.npy": "v1"}, {"seed": 0}),
    }


def _made(lock: dict[str, Any], stage: str, path: str, md5: str) -> None:
    for kind in ("deps", "outs"):
        for name, block in lock.items():
            for entry in block[kind]:
                if entry["path"] == path and (name == stage or kind == "deps"):
                    entry["md5"] = md5


def test_the_same_lock_has_no_difference(lock: dict[str, Any]) -> None:
    assert first_difference(ORDER, lock, deepcopy(lock)) is None


def test_a_changed_byte_of_raw_data_is_named_at_the_stage_that_read_it(lock: dict[str, Any]) -> None:
    now = deepcopy(lock)
    _made(now, "ingest", "data/raw", "r2.dir")
    _made(now, "ingest", "data/ingest/samples.npy", "s2")
    _made(now, "pretrain", "data/pretrain/encoder.safetensors", "e2")
    found = first_difference(ORDER, lock, now)
    assert found is not None
    assert (found.stage, found.differs) == ("ingest", (Path("data/ingest/samples.npy"),))
    assert found.causes == ("data/raw is another",)


def test_a_changed_setting_is_named_with_both_values(lock: dict[str, Any]) -> None:
    now = deepcopy(lock)
    now["pretrain"]["params"]["params.yaml"]["pretrain"]["epochs"] = 81
    _made(now, "pretrain", "data/pretrain/encoder.safetensors", "e2")
    found = first_difference(ORDER, lock, now)
    assert found is not None
    assert (found.stage, found.causes) == ("pretrain", ("pretrain.epochs is 81, was 80",))


def test_the_same_inputs_and_other_bytes_leave_the_environment_alone(lock: dict[str, Any]) -> None:
    now = deepcopy(lock)
    _made(now, "embed", "data/embed/embeddings.npy", "v2")
    found = first_difference(ORDER, lock, now)
    assert found is not None
    assert (found.stage, found.causes) == ("embed", ())


def test_other_code_that_does_not_count_is_no_difference(lock: dict[str, Any]) -> None:
    now = deepcopy(lock)
    _made(now, "code", "components", "c2.dir")
    assert compare_stage("code", lock, now).same
    _made(now, "code", "data/code/pretrain.json", "p2")
    assert compare_stage("code", lock, now).differs == (Path("data/code/pretrain.json"),)
    assert compare_stage("pretrain", lock, now).causes == ()  # another stage made it


def test_an_input_that_changed_nothing_is_told_of(lock: dict[str, Any]) -> None:
    now = deepcopy(lock)
    _made(now, "ingest", "data/raw", "r2.dir")
    found = compare_stage("ingest", lock, now)
    assert found.same
    assert found.causes == ("data/raw is another",)


def test_a_stage_that_one_lock_lacks_differs(lock: dict[str, Any]) -> None:
    now = deepcopy(lock)
    del now["embed"]
    assert not compare_stage("embed", lock, now).same


def test_one_library_version_is_named_with_both_values() -> None:
    now = installed()
    then = {**now, "packages": {**now["packages"], "torch": "1.0", "gone": "2.0"}}
    then["packages"].pop("numpy")
    assert beside(then, now) == [
        ("gone", "2.0", "none"),
        ("numpy", "none", now["packages"]["numpy"]),
        ("torch", "1.0", now["packages"]["torch"]),
    ]
    assert beside(now, now) == []


def test_how_far_files_differ_is_told_in_numbers_or_bytes(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3, np.float32))
    np.save(tmp_path / "b.npy", np.array([0, 0.25, 0], np.float32))
    assert how_far(tmp_path / "a.npy", tmp_path / "b.npy") == "numbers differ by at most 0.25"
    for name, value in (("one", 1.0), ("two", 1.5)):
        save_file({"w": np.full(2, value, np.float32)}, tmp_path / f"{name}.safetensors")
    assert how_far(tmp_path / "one.safetensors", tmp_path / "two.safetensors") == "numbers differ by at most 0.5"
    np.save(tmp_path / "c.npy", np.zeros(4, np.float32))
    assert how_far(tmp_path / "a.npy", tmp_path / "c.npy") == "arrays of other names or shapes"
    for name, text in (("x.json", "abcd"), ("y.json", "abce"), ("z.json", "abc")):
        (tmp_path / name).write_text(text)
    assert how_far(tmp_path / "x.json", tmp_path / "y.json") == "1 of 4 bytes differ"
    assert how_far(tmp_path / "x.json", tmp_path / "z.json") == "4 bytes then, 3 now"
