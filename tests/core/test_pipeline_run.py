"""One run per pipeline run: stages that ran nest under it, stages that DVC skipped are linked by their key."""

import functools
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.core import journal, pipeline_run
from components.core.config import read_params
from components.core.errors import WinnowError
from components.core.pipeline_run import begin, end, stage_keys
from components.core.store_calls import all_pages, run_name
from components.core.tracking import deliver, experiment, stage_run

YAML_PATH = Path("dvc.yaml")
YAML = """
stages:
  a: {cmd: run a, params: [a], deps: [data/raw], outs: [data/a/x]}
  b: {cmd: run b, params: [b], deps: [data/a/x], outs: [data/b/x]}
"""


@pytest.fixture
def project(store: Any) -> Any:
    YAML_PATH.write_text(YAML)
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


def _page(stage: str, text: str) -> None:
    with stage_run(stage, key="k", params={}) as tracker:
        Path("page.html").write_text(text)
        journal.join("page.html")
        tracker.finish({}, [Path("page.html")])


def _kept(store: Any, run_id: str) -> list[str]:
    return [item.path for item in store.list_artifacts(run_id) if not item.is_dir]


def test_a_page_joins_its_pipeline_run_whether_that_goes_on_or_is_over(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, going = begin(), begin()
    with monkeypatch.context() as patch:
        patch.setenv(journal.PARENT, going)
        _page("b", "of the one that goes on")
    end(going, status=journal.FINISHED)
    assert (_kept(project, over), _kept(project, going)) == ([], ["page.html"])
    last = begin()
    end(last, status=journal.FINISHED)
    _page("b", "of the newest")
    assert _kept(project, last) == ["page.html"]
    joined = project.get_run(last).data.tags["stage.b"]
    assert project.get_run(joined).data.tags["mlflow.parentRunId"] == last
    assert project.get_run(last).info.status == "FINISHED"


def test_a_page_whose_pipeline_run_was_deleted_holds_nothing_up(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = begin()
    with monkeypatch.context() as patch:
        patch.setenv(journal.PARENT, gone)
        _page("a", "of nobody")
    project.delete_run(gone)
    deliver()
    assert not list(journal.RUNS.glob("*"))
    assert _kept(project, gone) == []


def test_a_page_of_a_stage_that_failed_joins_nothing(project: Any) -> None:
    last = begin()

    def fail() -> None:
        with stage_run("a", key="k", params={}):
            journal.join("page.html")
            raise WinnowError("no.")

    with pytest.raises(WinnowError):
        fail()
    assert _kept(project, last) == []


def test_what_reads_the_stage_that_ends_the_run_is_still_to_come(project: Any) -> None:
    _run("a")
    _run("b")
    assert _hows(end(begin(), status=journal.FINISHED, within="a")) == {"a": "ran", "b": "to come"}


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


def _evaluate() -> None:
    with YAML_PATH.open("a") as graph:
        graph.write("  evaluate: {cmd: run e, params: [a], deps: [data/b/x], metrics: [data/evaluate/metrics.json]}\n")


def _figures_of(accuracy: float) -> None:
    with stage_run("evaluate", key=stage_keys()["evaluate"], params={}) as tracker:
        tracker.finish({}, [])
    Path("data/evaluate").mkdir(exist_ok=True)
    Path("data/evaluate/metrics.json").write_text(f'{{"accuracy": {accuracy}, "shipped": "control"}}')


def test_a_run_has_figures_only_of_what_it_made_or_found_up_to_date(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _evaluate()
    first = begin()
    with monkeypatch.context() as patch:
        patch.setenv(journal.PARENT, first)
        _run("a")
        _run("b")
        _figures_of(0.9)
    end(first, status=journal.FINISHED)
    unchanged, killed = begin(), begin()
    end(unchanged, status=journal.FINISHED)
    links = end(killed, status=journal.KILLED)
    figures = [project.get_run(run).data.metrics for run in (first, unchanged, killed)]
    assert figures == [{"accuracy": 0.9}, {"accuracy": 0.9}, {}]
    assert set(_hows(links).values()) == {"not run"}


def test_two_runs_can_be_compared_and_told_apart(project: Any) -> None:
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(f"{text}many: {{{', '.join(f'x{number}: {number}' for number in range(150))}}}\n")
    runs = [project.get_run(begin()) for _ in range(1)]
    assert runs[0].data.params["a.size"] == "1"
    assert len(runs[0].data.params) == len(list(journal.flatten(read_params())))
    name = run_name("pipeline", {"git_commit": "0123456789", "git_dirty": "true"}, 1_000_000)
    assert name == "pipeline 1970-01-01 00:16 0123456+"
    assert runs[0].info.run_name.startswith("pipeline 20")


def test_a_run_of_a_changed_tree_can_be_made_again(project: Any) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    Path("code.py").write_text("old = 1\n")
    Path(".gitignore").write_text("mlflow.db*\n.winnow\nmlartifacts\n")
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], check=True)
    Path("code.py").write_text("new = 2\n")
    Path("more.py").write_text("url = 'http://me:secret@host'\n")
    Path("notes.bin").write_bytes(b"\xff")
    run = begin()
    end(run, status=journal.FINISHED)
    kept = Path(project.download_artifacts(run, "made_from"))
    assert sorted(path.name for path in kept.iterdir()) == [
        *("changes.diff", "dvc.yaml", "environment.json", "params.yaml")
    ]
    again = Path("again")
    subprocess.run([*git, "clone", "-q", ".", str(again)], check=True)
    subprocess.run([*git, "apply", str(kept / "changes.diff")], cwd=again, check=True)
    assert (again / "code.py").read_text() == "new = 2\n"
    assert (again / "more.py").read_text() == "url = 'http://***@host'\n"


def test_more_runs_than_a_page_holds_are_all_found(project: Any) -> None:
    search = functools.partial(project.search_runs, [experiment()], max_results=2)
    for _ in range(5):
        project.create_run(experiment())
    assert len(all_pages(search)) == 5
