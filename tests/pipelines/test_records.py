"""What DVC recorded beside what a stage used: edits in the moment between the stage's end and DVC's look."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.config import read_params
from components.core.dag import read_stages
from components.core.used import Used, settings_files
from pipelines import dvc, records
from pipelines.dvc import prepare_workspace
from pipelines.records import drop_wrong_records, forget_used

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # DVC's own

GRAPH = """
stages:
  toy:
    cmd: echo once >> runs; cat data/raw/* number > out
    params: [toy]
    deps: [number, data/raw]
    outs: [out]
"""
ALL = ["toy.rate in params.yaml", "number", "data/raw"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one stage that DVC has never run."""
    home = tmp_path_factory.mktemp("records")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        Path("dvc.yaml").write_text(GRAPH)
        Path("data/raw").mkdir(parents=True)
        _write("1")
        prepare_workspace()
    return home


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There, with DVC in this process: to load it takes seconds each time."""
    for module in (dvc, records):
        monkeypatch.setattr(module, "ask_dvc", _dvc_here)
    shutil.copytree(made, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")


def _dvc_here(command: str, *_: str) -> str:
    from dvc.repo import Repo

    with Repo() as repo:
        if command == "repro":
            repo.reproduce()
        answers = {"status": lambda: json.dumps(repo.status()), "cache": lambda: str(repo.cache.legacy.path)}
        return answers.get(command, str)()


def _write(digit: str) -> None:
    """Settings, a file and a folder: all that a stage reads."""
    Path("params.yaml").write_text(f"toy: {{rate: {digit}e-5}}\n")
    Path("number").write_text(digit)
    Path("data/raw/picture").write_text(digit)


def _run(between: Callable[[], object]) -> None:
    """The stage, as the runner runs it, and what happens until DVC has recorded it."""
    params = read_params()
    spec = read_stages()["toy"]
    used = Used.by(spec, params, settings_files())
    for path in spec.dependencies:
        used.see(path)
    between()
    used.save()


def _edit_and_record() -> None:
    _write("2")
    _dvc_here("repro")


def _recorded() -> dict[str, Any]:
    stages: dict[str, Any] = yaml.safe_load(Path("dvc.lock").read_text())["stages"]
    return stages


@pytest.mark.usefixtures("project")
def test_what_dvc_recorded_as_the_stage_used_it_stays() -> None:
    _run(lambda: _dvc_here("repro"))
    before = Path("dvc.lock").read_bytes()
    _write("2")
    assert drop_wrong_records() == []  # edited later
    _run(lambda: Path("out").write_text("of a run that DVC did not live to record"))
    _write("3")
    assert drop_wrong_records() == []
    assert Path("dvc.lock").read_bytes() == before


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("later", ["2", "1"])
def test_an_edit_just_before_dvc_looked_is_taken_out_though_it_be_changed_back(later: str) -> None:
    _run(_edit_and_record)
    assert "toy" in _recorded()
    _write(later)
    (said,) = drop_wrong_records()
    assert said == f"{', '.join(ALL)} changed while DVC recorded toy, so dvc.lock no longer holds that: run it again."
    assert _recorded() == {}


@pytest.mark.usefixtures("project")
def test_what_was_taken_out_is_not_restored_from_the_run_cache() -> None:
    _run(_edit_and_record)
    assert drop_wrong_records()
    _dvc_here("repro")
    assert Path("runs").read_text().split() == ["once", "once"]


@pytest.mark.usefixtures("project")
def test_where_nobody_wrote_anything_dvc_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "stale", None)
    _run(lambda: None)
    assert drop_wrong_records() == []
    forget_used()
    _write("2")
    assert drop_wrong_records() == []
