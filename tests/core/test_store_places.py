"""A workspace that was copied, moved or renamed works in itself alone."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.core import journal, tracking
from components.core.files import sha256
from components.core.model_versions import create
from components.core.pipeline_run import begin, close_abandoned, end
from components.core.tracking import experiment, stage_run

GRAPH = "stages:\n  a: {cmd: run a, params: [a], outs: [data/a/x]}\n"


@pytest.fixture
def workspace(store: Any) -> Path:
    """With a registered model, a finished run and one that was cut short."""
    Path("dvc.yaml").write_text(GRAPH)
    begin()
    run_id = begin()
    model = Path(".winnow/made")
    (model / "weights").mkdir(parents=True)
    (model / "weights/model.safetensors").write_text("weights")
    create("toys", model, run_id=run_id, digest="d")
    _stage()
    end(run_id, status=journal.FINISHED)
    return Path.cwd()


def _stage() -> None:
    Path("page.html").write_text("page")
    with stage_run("a", key="k", params={}) as tracker:
        tracker.finish({}, [Path("page.html")])


@pytest.fixture
def go(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def enter(folder: Path) -> Any:
        monkeypatch.chdir(folder)
        tracking._client = None
        return tracking.opened()

    yield enter
    tracking._client = None


def _places(store: Any) -> list[str]:
    runs = store.search_runs([experiment()])
    model = store.search_logged_models([experiment()])[0]
    source = store.get_model_version_download_uri("toys", "1")
    return [store.get_experiment(experiment()).artifact_location, model.artifact_location, source] + [
        run.info.artifact_uri for run in runs
    ]


def test_a_copy_beside_its_original_never_touches_it(workspace: Path, go: Any, tmp_path_factory: Any) -> None:
    copy = tmp_path_factory.mktemp("beside") / "a copy, 100 % #1 \u00fc"
    shutil.copytree(workspace, copy)
    before = sha256(workspace)
    store = go(copy)
    assert all(place.startswith(copy.as_uri()) for place in _places(store))
    _stage()
    end(begin(), status=journal.FINISHED)
    found = [path for path in copy.rglob("page.html") if "mlartifacts" in path.parts]
    assert len(found) == 2  # the one copied along and the new one
    assert sha256(workspace) == before


def test_a_moved_workspace_finds_what_it_had(workspace: Path, go: Any, tmp_path_factory: Any) -> None:
    moved = tmp_path_factory.mktemp("elsewhere") / "moved"
    workspace.rename(moved)
    store = go(moved)
    (weights,) = moved.glob("mlartifacts/**/model.safetensors")
    assert store.get_model_version_download_uri("toys", "1") == weights.parents[1].as_uri()
    close_abandoned()
    assert not store.search_runs([experiment()], "attributes.status = 'RUNNING'")


def test_a_place_of_somebodys_own_choice_stays(store: Any, go: Any, tmp_path_factory: Any) -> None:
    shelf = tmp_path_factory.mktemp("shelf")
    store.create_experiment("toys", artifact_location=shelf.as_uri(), tags={"workspace": "host:/before"})
    store = go(Path.cwd())
    assert store.get_experiment(experiment()).artifact_location == shelf.as_uri()


def test_a_folder_left_by_an_older_mlflow_does_not_become_the_store(store: Any) -> None:
    Path("mlruns/0").mkdir(parents=True)
    Path("mlruns/0/meta.yaml").write_text("name: Default")
    model = Path("model")
    model.mkdir()
    (model / "x").write_text("x")
    assert create("toys", model, run_id=store.create_run(experiment()).info.run_id, digest="d").number == 1


def test_no_name_of_a_folder_leads_to_a_store_elsewhere(
    empty_store: Path, go: Any, tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(tracking.URI, raising=False)
    home = tmp_path_factory.mktemp("names")
    folder = home / "what? 50 % #1 'quoted' \u00fc &x=1"
    folder.mkdir()
    (folder / "params.yaml").write_text("register: {name: toys}\n")
    go(folder)
    _stage()
    assert len(list((folder / "mlartifacts").rglob("page.html"))) == 1
    assert list(home.iterdir()) == [folder]
    assert sorted(path.name for path in folder.iterdir()) == [
        ".winnow",
        "mlartifacts",
        "mlflow.db",
        "page.html",
        "params.yaml",
    ]
