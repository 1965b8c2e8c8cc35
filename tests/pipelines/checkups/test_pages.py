"""Every state that MLflow's and Prefect's pages can bring about has a sentence, and a way back."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from components.core import journal, pipeline_run
from components.core.errors import WinnowError
from components.core.lock import locked
from components.core.model_versions import CHAMPION, HISTORY, create, describe, find, promote, rollback, versions
from components.core.tracking import deliver, experiment, stage_run
from components.core.version_files import fetch
from pipelines.checkups import pages

DIGEST = "d" * 64


@pytest.fixture
def model(store: Any) -> Any:
    """The store of a project whose one version is its champion."""
    folder = Path("made")
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {}")
    run = store.create_run(experiment()).info.run_id
    create("toys", folder, run_id=run, digest=DIGEST)
    store.set_registered_model_alias("toys", CHAMPION, "1")
    Path("data/register").mkdir(parents=True)
    facts = f'{{"name": "toys", "version": 1, "model_sha256": "{DIGEST}"}}'
    Path("data/register/version.json").write_text(facts)
    return store


def _said() -> str:
    return " ".join(f"{finding.what} {finding.cure}" for finding in pages.models())


def test_a_deleted_experiment_stops_a_run_with_its_cure_and_doctor_brings_it_back(store: Any) -> None:
    assert pages.experiments() == []
    known = experiment()
    store.delete_experiment(known)
    with pytest.raises(WinnowError, match="experiment toys was deleted in MLflow's pages: `winnow doctor --fix`"):
        pipeline_run.begin()
    (finding,) = pages.experiments()
    assert finding.fix is not None
    assert finding.fix() == "brought it back, with its runs."
    assert experiment() == known


def test_a_renamed_experiment_is_named(store: Any) -> None:
    store.rename_experiment(experiment(), "games")
    (finding,) = pages.experiments()
    assert finding.what == "this project's experiment is called games in MLflow, not toys."


def test_a_run_deleted_while_it_is_at_work_holds_up_nothing(
    store: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parent = pipeline_run.begin()
    monkeypatch.setenv(journal.PARENT, parent)
    Path("dvc.yaml").write_text("stages:\n  a: {cmd: run a, outs: [data/a/x]}\n")
    with stage_run("a", key="k", params={}) as tracker:
        tracker.log_epoch(1, {"loss": 1.0})
        deliver()
        for run in store.search_runs([experiment()]):
            store.delete_run(run.info.run_id)
        deliver()
    deliver()
    assert not list(journal.RUNS.glob("*"))
    pipeline_run.end(parent, status=journal.FINISHED)
    said = capsys.readouterr().err
    assert "a run of a was deleted in MLflow's pages: it stays so." in said
    assert "this run was deleted in MLflow's pages meanwhile" in said


def test_a_registry_as_the_pipeline_left_it_is_fine(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "fetch", lambda version, fresh: Path())
    assert pages.models() == []


def test_deleted_and_renamed_models_are_named_with_the_way_back(model: Any) -> None:
    model.rename_registered_model("toys", "games")
    assert "keeps version 1 of toys as a model games: renamed in its pages." in _said()
    model.delete_registered_model("games")
    assert "MLflow has no version 1 of toys, which this pipeline made: deleted" in _said()
    assert "`winnow repro` registers it again" in _said()


def test_an_alias_taken_away_and_a_tag_taken_away_are_named(model: Any) -> None:
    model.delete_registered_model_alias("toys", CHAMPION)
    assert "`winnow promote 1` makes the newest one serve." in _said()
    model.delete_model_version_tag("toys", "1", "model_sha256")
    assert "versions of toys without their tag model_sha256: 1." in _said()


def test_what_doctor_says_of_an_alias_taken_away_brings_it_back(model: Any) -> None:
    model.set_registered_model_tag("toys", HISTORY, "[1]")
    model.delete_registered_model_alias("toys", CHAMPION)
    assert CHAMPION in promote("toys", 1, prove=lambda version: None).aliases
    assert model.get_registered_model("toys").tags[HISTORY] == "[1]"


def test_an_alias_moved_by_hand_is_the_champion_before_and_rolled_back_to(model: Any) -> None:
    for _ in range(2):
        model.create_model_version("toys", "made", find("toys", 1).run_id)
    promote("toys", 2, prove=lambda version: None)
    model.set_registered_model_alias("toys", CHAMPION, "3")
    promote("toys", 2, prove=lambda version: None)
    assert rollback("toys", prove=lambda version: None).number == 3
    model.delete_model_version("toys", "3")
    with pytest.raises(WinnowError, match="no version 3: it has 2, 1"):
        promote("toys", 3, prove=lambda version: None)
    assert rollback("toys", prove=lambda version: None).number == 1


def test_a_champion_whose_run_was_deleted_goes_on_serving(model: Any) -> None:
    model.delete_run(find("toys", 1).run_id)
    assert find("toys", CHAMPION).number == 1


def test_more_models_than_a_page_holds_are_all_looked_at(model: Any) -> None:
    for number in range(101):
        model.create_registered_model(f"a{number}")
    model.rename_registered_model("toys", "zoo")
    assert "as a model zoo: renamed in its pages." in _said()


def test_a_champion_whose_files_are_gone_is_said_with_what_to_do(model: Any) -> None:
    shutil.rmtree("mlartifacts")
    with pytest.raises(WinnowError, match=r"version 1 of toys is gone from .*: bring its files back, or run"):
        fetch(find("toys", 1))
    assert "is gone from" in _said()


def test_an_edited_history_of_champions_is_said_with_what_to_do(model: Any) -> None:
    model.set_registered_model_tag("toys", HISTORY, "one, two")
    with pytest.raises(WinnowError, match="champion_history is 'one, two', no list of version numbers"):
        rollback("toys", prove=fetch)


def test_evidence_is_whole_or_says_that_it_is_not(model: Any) -> None:
    describe(find("toys", 1), "card", {"long": "x" * 50_000, "longer": "y" * 200_000})
    tags = find("toys", 1).tags
    assert tags["long"] == "x" * 50_000
    assert tags["longer"].startswith("200000 characters, more than a tag takes; sha256 ")


def test_more_versions_than_a_page_holds_are_all_found(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    search = type(model).search_model_versions
    monkeypatch.setattr(type(model), "search_model_versions", lambda *a, **k: search(*a, **{**k, "max_results": 1}))
    version = find("toys", 1)
    for _ in range(2):
        model.create_model_version("toys", "made", version.run_id)
    assert [item.number for item in versions("toys")] == [3, 2, 1]


class _Server:
    def __init__(self, found: list[Any]) -> None:
        self.found = found

    def __enter__(self) -> "_Server":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def read_deployments(self, **_: object) -> list[Any]:
        return self.found


def test_a_schedule_that_was_deleted_or_paused_in_its_pages_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import prefect.client.orchestration as prefect

    monkeypatch.chdir(tmp_path)
    assert pages.schedules() == []
    monkeypatch.setattr(pages, "connect", lambda: "http://127.0.0.1:1/api")
    found: list[Any] = []
    monkeypatch.setattr(prefect, "get_client", lambda **_: _Server(found))
    with locked(pages.SCHEDULE, wait=0, busy=""):
        assert "was deleted in Prefect's pages" in pages.schedules()[0].what
        found.append(_Deployment(paused=True))
        assert "is paused in Prefect's pages" in pages.schedules()[0].what
        found[0] = _Deployment(paused=False)
        assert pages.schedules() == []


class _Deployment:
    def __init__(self, *, paused: bool) -> None:
        self.paused = paused
        self.schedules = [self]
        self.active = True
