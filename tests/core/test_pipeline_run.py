"""One run per pipeline run: stages that ran nest under it, stages that DVC skipped are linked by their key."""

from pathlib import Path
from typing import Any

import pytest

from components.core import journal, pipeline_run
from components.core.errors import WinnowError
from components.core.pipeline_run import begin, end, stage_keys
from components.core.tracking import stage_run

YAML = """
stages:
  a: {cmd: run a, params: [a], deps: [data/raw], outs: [data/a/x]}
  b: {cmd: run b, params: [b], deps: [data/a/x], outs: [data/b/x]}
"""


@pytest.fixture
def project(store: Any) -> Any:
    Path("dvc.yaml").write_text(YAML)
    Path("data/raw").mkdir(parents=True)
    return store


def _run(stage: str) -> None:
    with stage_run(stage, key=stage_keys()[stage], params={}) as tracker:
        tracker.finish({}, [])
    Path("data", stage).mkdir(exist_ok=True)
    Path("data", stage, "x").write_text(stage)


def _hows(links: list[pipeline_run.Link]) -> dict[str, str]:
    return {link.stage: link.how for link in links}


def test_stages_that_ran_nest_and_the_next_run_links_to_them(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = begin()
    with monkeypatch.context() as patch:
        patch.setenv(journal.PARENT, first)
        _run("a")
        _run("b")
    made = end(first, status=journal.FINISHED)
    assert _hows(made) == {"a": "ran", "b": "ran"}
    second = begin()
    again = end(second, status=journal.FINISHED)
    assert _hows(again) == {"a": "reused", "b": "reused"}
    assert [link.run_id for link in again] == [link.run_id for link in made]
    tags = project.get_run(second).data.tags
    assert tags["stage.a"] == made[0].run_id
    assert f"[{made[0].run_id[:8]}](#/experiments/1/runs/{made[0].run_id})" in tags["mlflow.note.content"]
    assert project.get_run(made[0].run_id).data.tags["mlflow.parentRunId"] == first


def test_without_a_pipeline_run_the_stages_are_adopted_afterwards(project: Any) -> None:
    _run("a")
    parent = begin()
    links = end(parent, status=journal.FINISHED)
    assert _hows(links) == {"a": "ran", "b": "not run"}
    assert project.get_run(links[0].run_id).data.tags["mlflow.parentRunId"] == parent


def test_a_failed_stage_is_shown_as_failed(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = begin()
    monkeypatch.setenv(journal.PARENT, parent)

    def fail() -> None:
        with stage_run("a", key="k", params={}):
            raise WinnowError("no.")

    with pytest.raises(WinnowError):
        fail()
    assert _hows(end(parent, status=journal.FAILED)) == {"a": "failed", "b": "not run"}
    assert project.get_run(parent).info.status == "FAILED"


def test_outputs_that_came_without_a_run_are_called_untracked(project: Any) -> None:
    Path("data/a").mkdir()
    Path("data/a/x").write_text("from elsewhere")
    assert _hows(end(begin(), status=journal.FINISHED))["a"] == "untracked"


def test_the_pipeline_run_carries_the_evaluations_figures(project: Any) -> None:
    Path("data/evaluate").mkdir()
    Path("data/evaluate/metrics.json").write_text('{"accuracy": 0.9, "shipped": "control"}')
    parent = begin()
    end(parent, status=journal.FINISHED)
    assert project.get_run(parent).data.metrics == {"accuracy": 0.9}
