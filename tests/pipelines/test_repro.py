"""`winnow repro` on a small graph: what ran, what was reused, who waits, and how it stops."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from toy_graph import begin, write_stages

from components.core import tracking
from components.core.errors import WinnowError
from components.core.lock import locked
from pipelines import repro, session
from pipelines.dvc import prepare_workspace

pytestmark = pytest.mark.slow

Project = Callable[..., int]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_store: Path) -> Iterator[Project]:
    """`project(first="...", second="...")` writes a graph of two stages and runs it; returns the exit code."""
    begin(tmp_path, empty_store, monkeypatch)
    monkeypatch.setattr(repro, "registered", lambda: True)
    monkeypatch.setattr(repro, "summarize", lambda seconds: "what came out")
    monkeypatch.setattr(session, "_make_ready", lambda: prepare_workspace() or {})

    def run(*, first: str = "pass", second: str = "pass", **options: Any) -> int:
        write_stages(first=first, second=second)
        return repro.reproduce(**options)

    yield run
    tracking._client = None


def test_a_second_run_does_nothing_and_links_to_the_first(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    assert project() == 0
    first = capfd.readouterr()
    assert first.out.splitlines()[-1] == "what came out"
    assert first.err == ""
    assert project() == 0
    assert "first: unchanged\nsecond: unchanged\n" in capfd.readouterr().out
    assert _hows() == [{"first": "ran", "second": "ran"}, {"first": "reused", "second": "reused"}]
    assert project(start="second") == 0
    assert _hows()[-1] == {"first": "reused", "second": "ran"}


def test_a_failing_stage_fails_the_run_and_the_next_one_goes_on_from_there(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    assert project(second="raise SystemExit('the second is broken.')") == 1
    assert "the second is broken." in capfd.readouterr().err
    assert _hows() == [{"first": "ran", "second": "killed"}]
    assert project() == 0
    assert _hows()[-1] == {"first": "reused", "second": "ran"}


def test_a_broken_lock_file_of_dvc_is_mended(project: Project) -> None:
    assert project() == 0
    Path(".dvc/tmp/rwlock").write_text("")
    assert project() == 0


def test_a_second_run_in_the_folder_waits_and_says_so(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session, "WAIT", 0.2)
    with (
        locked(session.LOCK, wait=0, busy=""),
        pytest.raises(WinnowError, match=rf"another run \(process {os.getpid()}\)"),
    ):
        project()
    assert "another run is at work in this folder; waiting" in capsys.readouterr().err


def test_plain_dvc_is_waited_for_although_it_holds_nothing_between_two_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    holders, alive, slept = iter([7, None]), [True, True, False], []
    monkeypatch.setattr(session, "busy", holders.__next__)
    monkeypatch.setattr(session, "at_work", lambda pid: alive.pop(0))
    monkeypatch.setattr(session.time, "sleep", slept.append)
    session._wait_for_dvc()
    assert (alive, slept) == ([], [1, 1])


def test_being_asked_to_stop_stops_the_stage_too_and_is_recorded(project: Project) -> None:
    assert project() == 0
    write_stages(second="Path('begun').touch(); time.sleep(60)")
    code = (
        "from pipelines import repro, session\nsession._make_ready = dict\n"
        "try:\n    repro.reproduce(start='second')\nexcept KeyboardInterrupt:\n    raise SystemExit(130)"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        deadline = time.monotonic() + 180
        while not Path("begun").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=30) == 130
    assert _hows()[-1] == {"first": "not run", "second": "killed"}  # a stopped run proves nothing


def test_an_unknown_stage_to_start_from_is_refused(project: Project) -> None:
    with pytest.raises(WinnowError, match="unknown stage 'third': Choose from first, second"):
        project(start="third")


def test_without_git_dvc_is_told_to_do_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(Path(__file__).resolve().parents[2] / ".dvc", ".dvc", ignore=shutil.ignore_patterns("tmp", "cache"))
    prepare_workspace()
    assert "no_scm = true" in Path(".dvc/config.local").read_text().lower()
    prepare_workspace()


def _hows() -> list[dict[str, str]]:
    """How each stage came to its outputs, per pipeline run, as the notes in MLflow tell it."""
    store = tracking.opened()
    runs = store.search_runs([tracking.experiment()], "tags.pipeline = 'true'", order_by=["attributes.start_time ASC"])
    tables = [run.data.tags["mlflow.note.content"].splitlines()[2:] for run in runs]
    return [{row.split("|")[1].strip(): row.split("|")[2].strip() for row in table} for table in tables]
