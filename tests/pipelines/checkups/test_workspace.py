"""Faults planted in a workspace are found, named, and gone after their cure."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.core.lock import locked
from components.core.scratch import scratch
from pipelines import processes
from pipelines.checkups import workspace

DEAD = 2**22 + 1  # beyond any process number Linux gives


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".dvc/tmp").mkdir(parents=True)
    Path("params.yaml").write_text("seed: 0\n")
    Path("dvc.yaml").write_text("stages: {}\n")


def test_graph_files_that_git_left_in_conflict_are_named() -> None:
    assert workspace.graph_files() == []
    Path("dvc.lock").write_text("<<<<<<< HEAD\nstages: {}\n")
    (found,) = workspace.graph_files()
    assert found.what == "dvc.lock cannot be read (line 1 is a conflict marker of git)."
    assert found.cure.startswith("take one side whole with `git checkout --ours dvc.lock`")
    Path("dvc.yaml").write_text("stages: [")
    assert [item.what[:8] for item in workspace.graph_files()] == ["dvc.yaml", "dvc.lock"]


def test_an_empty_lock_of_dvc_is_removed() -> None:
    workspace.RWLOCK.write_text("")
    (found,) = workspace.locks()
    assert "is empty or damaged" in found.what
    assert found.fix is not None
    assert found.fix() == "removed .dvc/tmp/rwlock."
    assert workspace.locks() == []


@pytest.mark.parametrize("kind", ["write", "read"])
def test_a_lock_whose_process_is_no_more_is_removed(kind: str) -> None:
    _lock(kind, DEAD)
    (found,) = workspace.locks()
    assert str(DEAD) in found.what
    assert found.fix is not None
    found.fix()
    assert workspace.locks() == []


def test_a_lock_whose_number_another_process_has_now_is_removed() -> None:
    _lock("write", 1)
    (found,) = workspace.locks()
    assert found.fix is not None


def test_a_lock_whose_process_lives_is_left_alone_and_its_owner_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _lock("write", os.getpid())
    monkeypatch.setattr(workspace, "command", lambda pid: "python -m dvc repro")
    (found,) = workspace.locks()
    assert found.what == f"process {os.getpid()} (dvc repro) is at work in this folder."
    assert found.fix is None


def test_dvc_at_work_is_seen_by_its_own_lock() -> None:
    with locked(workspace.DVC_LOCK, wait=0, busy=""):
        (found,) = workspace.locks()
        assert found.fix is None
    assert workspace.locks() == []


def test_a_lock_that_nobody_holds_is_no_fault() -> None:
    workspace.RWLOCK.write_text("{}")
    assert workspace.locks() == []


@pytest.mark.skipif(not processes.PROC.is_dir(), reason="needs /proc")
def test_a_stage_whose_pipeline_died_is_ended(tmp_path: Path) -> None:
    """A shell starts it in the background and dies; the word in its command is all that makes it a stage here."""
    code = "import time; time.sleep(60)"
    shell = f"{sys.executable} -c '{code}' components.core.stage > /dev/null 2>&1 & echo $!"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
    pid = int(done.stdout)
    if not processes._adopted(pid):
        os.kill(pid, 9)
        pytest.skip("orphans are adopted here by a process of unknown kind")
    (found,) = workspace.orphaned_stages()
    assert f"process {pid}" in found.what
    assert found.fix is not None
    assert found.fix() == f"ended process {pid}."
    assert workspace.orphaned_stages() == []


def test_a_stage_under_a_living_process_is_no_orphan() -> None:
    code = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, "components.core.stage"]) as child:
        assert processes.alive(child.pid)
        assert workspace.orphaned_stages() == []
        child.kill()


def test_what_killed_runs_left_is_removed_and_what_living_ones_write_is_not() -> None:
    Path("data/raw").mkdir(parents=True)
    Path(".winnow/tmp/embed-7/outputs").mkdir(parents=True)
    Path(f"data/raw/.source.{DEAD}.json").touch()
    Path(f"data/raw/.source.{os.getpid()}.json").touch()
    Path("data/raw/.hidden.txt").touch()
    with scratch("label"):  # which itself removes what a dead stage left
        Path(".winnow/tmp/embed-8/outputs").mkdir(parents=True)
        found = workspace.leftovers()
        assert [item.what.split()[0] for item in found] == [".winnow/tmp/embed-8", f"data/raw/.source.{DEAD}.json"]
        for item in found:
            assert item.fix is not None
            item.fix()
        assert workspace.leftovers() == []


@pytest.mark.parametrize("home", [Path(".winnow/checkpoints"), Path(".winnow/unpacked")])
def test_only_what_nobody_goes_on_with_is_removed(home: Path) -> None:
    for name in ("old", "young"):
        path = home / name / "000001.json"
        path.parent.mkdir(parents=True)
        path.touch()
    long_ago = time.time() - 15 * 86400
    for place in (home / "old/000001.json", home / "old"):
        os.utime(place, (long_ago, long_ago))
    (found,) = workspace.old_files()
    assert not found.wrong
    assert found.what == f"{home}/old is of no use any more: untouched for 15 days."
    assert found.fix is not None
    found.fix()
    assert [path.name for path in home.iterdir()] == ["young"]


def _lock(kind: str, pid: int) -> None:
    owner = {"pid": pid, "cmd": "dvc repro"}
    workspace.RWLOCK.write_text(json.dumps({kind: {"/x": owner if kind == "write" else [owner]}}))
