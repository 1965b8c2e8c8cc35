"""What would stop a run is named before it starts, each with the setting or command that mends it."""

import os
import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from components.core import environment, machine
from components.core.errors import WinnowError
from pipelines import preflight, session
from pipelines.preflight import GIB, concerns

ROOT = Path(__file__).resolve().parents[2]
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def roomy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder on a machine that lacks nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "PREFECT_API_URL", "TMPDIR", "LC_ALL", *environment.proxies()):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(preflight, "processors", lambda: 4)
    monkeypatch.setattr(preflight, "free_memory", lambda: 64 * GIB)
    _free(monkeypatch, 64 * GIB)


def _free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100 * GIB, 0, free))


def _found(**pretrain: Any) -> list[str]:
    return [concern.text for concern in concerns({"threads": 2, "pretrain": pretrain})]


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert concerns({"threads": 2, "pretrain": {"workers": 1}}) == []
    assert concerns({"threads": "many", "pretrain": 3}) == []  # the settings check speaks of these


def test_more_workers_than_processors_stop_the_run_unless_a_cluster_has_them() -> None:
    (concern,) = concerns({"pretrain": {"workers": 9}})
    assert concern.stops
    assert concern.text.startswith("pretrain.workers is 9, but this machine has 4 processors: lower it")
    assert concerns({"pretrain": {"workers": 9, "ray_address": "head:6379"}}) == []


def test_more_threads_than_processors_are_only_slow() -> None:
    (concern,) = concerns({"threads": 5})
    assert not concern.stops
    assert "threads is 5, but this machine has 4 processors" in concern.text


def test_too_little_memory_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "free_memory", lambda: GIB)
    assert _found(workers=0) == []
    (text,) = _found(workers=2)
    assert text == "1.0 GiB of memory are free, and a run needs about 3.5 GiB: lower pretrain.workers (0 trains " + (
        "without Ray)."
    )


def test_a_large_ledger_wants_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "free_memory", lambda: 2 * GIB)
    Path("data/labels").mkdir(parents=True)
    with Path("data/labels/ledger.csv").open("wb") as file:
        file.truncate(GIB // 4)
    (text,) = _found()
    assert text == "2.0 GiB of memory are free, and a run needs about 3.0 GiB: end other programs."


def test_a_small_shared_memory_is_told_with_the_flag_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SHARED_MEMORY", Path())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1, 0, 2**26 if path == Path() else 64 * GIB))
    monkeypatch.setattr(preflight, "_disk", lambda: [])
    (concern,) = concerns({"pretrain": {"workers": 1}})
    assert not concern.stops  # Ray falls back to the disk
    assert "--shm-size=256m, or set pretrain.workers to 0" in concern.text
    assert concerns({"pretrain": {"workers": 0}}) == []


def test_a_full_disk_is_told_by_what_the_last_run_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    _free(monkeypatch, 2 * GIB)
    assert _found() == []
    Path("data/ingest").mkdir(parents=True)
    with Path("data/ingest/samples.npy").open("wb") as file:
        file.truncate(GIB)
    (text,) = _found()
    assert f"2.0 GiB are free on the disk of {Path.cwd()}, and a run needs 3.5 GiB: free some room" in text


def test_folders_that_cannot_be_written_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("data/embed", "data/raw", "data/labels", "data/weights", ".dvc", ".winnow"):
        Path(name).mkdir(parents=True)
        Path(name).chmod(0o555)
    Path("mlflow.db").touch(0o444)
    # root may write everything: judge by the mode alone
    monkeypatch.setattr(os, "access", lambda path, mode: bool(Path(path).stat().st_mode & 0o200))
    assert [text.partition(":")[0] for text in _found()] == [
        ".winnow cannot be written",
        ".dvc cannot be written",
        "data/embed cannot be written",
        f"{Path.cwd() / 'mlflow.db'}, where MLflow keeps its runs, cannot be written",
    ]


def test_servers_that_do_not_answer_are_named_without_their_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]  # bound, and nobody listens
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:secret@127.0.0.1:{port}")
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
        (text,) = _found()
        assert text.startswith(f"MLFLOW_TRACKING_URI is http://***@127.0.0.1:{port}, where nothing answers")
        assert len(concerns({}, with_prefect=True)) == 2
        closed.listen()
        assert concerns({}, with_prefect=True) == []


def test_a_port_that_is_none_is_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:99999")
    assert "where nothing answers" in _found()[0]


def test_a_run_is_refused_at_once_with_all_that_would_stop_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "free_memory", lambda: 0)
    Path("params.yaml").write_text("threads: 9\npretrain: {workers: 9}\n")
    with pytest.raises(WinnowError) as refused, session.alone():
        pass
    assert [line.removeprefix("winnow: ").split()[0] for line in str(refused.value).splitlines()] == [
        "pretrain.workers",
        "0",
    ]
    assert not Path(".dvc").exists()


def test_conflict_markers_in_the_lock_file_stop_a_run_before_anything_else() -> None:
    Path("params.yaml").write_text("seed: 0\n")
    Path("dvc.lock").write_text("=======\n")
    with (
        pytest.raises(WinnowError, match=r"dvc.lock cannot be read \(line 1 is a conflict marker"),
        session.alone(),
    ):
        pass
    assert not Path(".dvc").exists()


def test_looking_around_imports_no_library() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom pipelines.preflight import concerns\nconcerns({{}})\n"
        "print(sorted({'torch', 'numpy', 'mlflow', 'prefect', 'ray', 'dvc'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_the_machine_has_is_read_from_the_system() -> None:
    assert machine.processors() >= 1
    free = machine.free_memory()
    assert free is None or 0 < free < 2**50


def test_a_containers_limit_is_what_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "GROUP", tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1000\n")
    assert machine.free_memory() != 24
    (tmp_path / "memory.max").write_text("1024\n")
    assert machine.free_memory() in (24, None)


def test_a_mistyped_block_is_named_before_dvc_misses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    shutil.copy(ROOT / "dvc.yaml", "dvc.yaml")
    Path("params.yaml").write_text((ROOT / "params.yaml").read_text().replace("\nselect:", "\nselct:"))
    with (
        pytest.raises(WinnowError, match=r"unknown setting selct in params\.yaml: did you mean 'select'"),
        session.alone(),
    ):
        pass
