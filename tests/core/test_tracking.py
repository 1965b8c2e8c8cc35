"""MLflow gets every run whole and once, and never stops the work."""

import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, RESOURCE_DOES_NOT_EXIST
from sqlalchemy.exc import OperationalError

from components.core import journal, tracking
from components.core.errors import Unavailable, WinnowError
from components.core.tracking import deliver, experiment, stage_run


def _runs(store: Any) -> list[Any]:
    return list(store.search_runs([experiment()], order_by=["attributes.start_time ASC"]))


def test_a_run_has_its_settings_figures_pictures_and_tags(store: Any) -> None:
    Path("data/ingest").mkdir(parents=True)
    Path("data/ingest/manifest.parquet").write_text("x")
    Path("a.png").write_text("picture")
    with stage_run("a", key="k1", params={"method": {"name": "simclr"}}) as tracker:
        tracker.log_epoch(1, {"loss": 2.0})
        tracker.log_epoch(2, {"loss": 1.0})
        tracker.finish({"accuracy": 0.5, "odd name é!": 1}, [Path("a.png")])
    (run,) = _runs(store)
    assert (run.info.run_name[:5], run.info.status) == ("a 202", "FINISHED")
    assert run.data.params == {"method.name": "simclr"}
    assert run.data.metrics == {"loss": 1.0, "accuracy": 0.5, "odd name é_": 1.0}
    assert [(m.step, m.value) for m in store.get_metric_history(run.info.run_id, "loss")] == [(1, 2.0), (2, 1.0)]
    assert [item.path for item in store.list_artifacts(run.info.run_id)] == ["a.png"]
    assert run.data.tags["stage_key"] == "k1"
    assert run.inputs.dataset_inputs[0].dataset.digest == run.data.tags["dataset_digest"][:36]
    assert not list(journal.RUNS.glob("*"))


def test_epochs_are_seen_while_the_stage_runs(store: Any) -> None:
    with stage_run("a", key="k1", params={}) as tracker:
        tracker.log_epoch(1, {"loss": 2.0})
        (run,) = _runs(store)
        assert (run.info.status, run.data.metrics) == ("RUNNING", {"loss": 2.0})


@pytest.mark.parametrize(("error", "status"), [(WinnowError("too small."), "FAILED"), (KeyboardInterrupt(), "KILLED")])
def test_how_a_run_ended_is_its_status(store: Any, error: BaseException, status: str) -> None:
    def fail() -> None:
        with stage_run("a", key="k1", params={}):
            raise error

    with pytest.raises(type(error)):
        fail()
    (run,) = _runs(store)
    assert run.info.status == status
    assert run.data.tags["failure"] == (str(error) or "stopped from outside.")


def test_delivering_twice_or_after_an_interruption_makes_one_run(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(journal.PARENT, "someone")
    with stage_run("a", key="k1", params={}) as tracker:
        tracker.log_epoch(1, {"loss": 2.0})
        deliver()
        tracker.log_epoch(2, {"loss": 1.0})

    def crash(*arguments: object, **named: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "set_terminated", crash)
        with pytest.raises(RuntimeError):
            deliver()
    deliver()
    deliver()
    (run,) = _runs(store)
    assert run.info.status == "FINISHED"
    assert [m.step for m in store.get_metric_history(run.info.run_id, "loss")] == [1, 2]
    assert run.data.tags["mlflow.parentRunId"] == "someone"


def test_a_server_that_does_not_answer_stops_no_work_and_loses_nothing(
    store: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(tracking.URI, "http://user:s3cret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with stage_run("a", key="k1", params={}) as tracker:
        tracker.finish({"accuracy": 0.5}, [])
    said = capsys.readouterr().err
    assert "is not lost" in said
    assert "s3cret" not in said
    monkeypatch.delenv(tracking.URI)
    deliver()
    assert [run.data.metrics for run in _runs(store)] == [{"accuracy": 0.5}]


@pytest.mark.parametrize(
    ("uri", "error", "kind"),
    [
        ("http://127.0.0.1:9", MlflowException("the server is down", INTERNAL_ERROR), Unavailable),
        ("http://127.0.0.1:9", MlflowException("no such run", RESOURCE_DOES_NOT_EXIST), WinnowError),
        ("http://127.0.0.1:9", requests.ConnectionError("refused"), Unavailable),
        ("sqlite:///a.db", OperationalError("x", {}, Exception("database is locked")), Unavailable),
        ("sqlite:///a.db", OperationalError("x", {}, Exception("disk is full")), WinnowError),
    ],
)
def test_only_what_may_pass_is_worth_another_try(
    monkeypatch: pytest.MonkeyPatch, uri: str, error: Exception, kind: type[WinnowError]
) -> None:
    monkeypatch.setenv(tracking.URI, uri)
    with pytest.raises(WinnowError, match=f"MLflow at {uri} said no") as caught, tracking.answering():
        raise error
    assert type(caught.value) is kind


def test_a_server_that_is_not_there_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:  # bound, and nothing listens
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv(tracking.URI, uri)
        with pytest.raises(Unavailable) as caught, tracking.answering():
            requests.get(uri, timeout=5)
    assert str(caught.value).startswith(f"MLflow at {uri} does not answer: start that server, or take {tracking.URI} ")


@pytest.mark.slow
def test_three_processes_on_a_fresh_store_all_get_their_run(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("seed: 0\n")
    code = (
        "from components.core import tracking\n"
        "with tracking.stage_run('a', key='k', params={}) as tracker:\n    tracker.finish({'x': 1}, [])"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "WINNOW"))}
    command = [sys.executable, "-c", code]
    started = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [child.communicate()[1] for child in started] == ["", "", ""]
    assert not list((tmp_path / journal.RUNS).glob("*"))


def test_a_store_whose_making_was_cut_short_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(tracking.URI, raising=False)
    code = (
        "import os, sqlite3\n"
        "from sqlalchemy import event\nfrom sqlalchemy.engine import Engine\n"
        "@event.listens_for(Engine, 'before_cursor_execute')\n"
        "def die(connection, cursor, statement, *rest):\n"
        "    if 'alembic_tmp' in statement: os.kill(os.getpid(), 9)\n"
        "from components.core import tracking\ntracking.opened()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == -9
    Path("params.yaml").write_text("register: {name: toys}\n")
    tracking.opened()
    assert tracking.experiment()
    tracking._client = None


def test_a_fresh_store_is_made_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tracking, "_client", None)
    logging.getLogger("mlflow").setLevel(logging.INFO)  # as it stands where something else imported MLflow first
    tracking.client()
    assert Path("mlflow.db").exists()
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(tracking, "_client", None)
