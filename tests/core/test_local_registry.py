"""What the local database says without MLflow is what MLflow says of it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from components.core import local_registry, tracking
from components.core.decisions import Decided
from components.core.model_versions import crown, find, promoting, versions
from components.core.pipeline_run import begin
from components.core.store_upkeep import behind

NAMES = ("toys", "more toys")


@pytest.fixture
def registry(store: Any) -> Any:
    """Two models: with three versions, of which one was deleted and one reigns, and with one."""
    Path("dvc.yaml").write_text("stages: {}\n")
    run_id = begin()
    for number, name in enumerate([NAMES[0], NAMES[0], NAMES[0], NAMES[1]]):
        if number in (0, 3):
            store.create_registered_model(name)
        store.create_model_version(
            name, f"file:///models/{number}", run_id, tags={"model_sha256": f"{number}", "é": ""}
        )
    store.delete_model_version(NAMES[0], "2")
    store.set_registered_model_alias(NAMES[0], "challenger", "3")
    with promoting():
        crown(find(NAMES[0], 1), Decided("promoted", why="it is good"))
    return store


def test_both_ways_say_the_same(registry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = [versions(name) for name in (*NAMES, "none")]
    assert [len(found) for found in here] == [2, 1, 0]
    assert here[0][1].aliases == ("champion",)
    monkeypatch.setattr(tracking, "local_registry", lambda: None)
    assert [versions(name) for name in (*NAMES, "none")] == here


def test_the_schema_is_the_installed_mlflows(registry: Any) -> None:
    database = tracking.database()
    assert database is not None
    assert not behind()
    assert local_registry.read_versions(database, NAMES[0]) is not None


@pytest.mark.parametrize("table", ["UPDATE alembic_version SET version_num = 'older'", "DROP TABLE alembic_version"])
def test_of_another_schema_it_says_nothing(registry: Any, table: str) -> None:
    database = tracking.database()
    assert database is not None
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(table)
        connection.commit()
    assert local_registry.read_versions(database, NAMES[0]) is None


def test_a_registry_elsewhere_is_asked_there(registry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "http://127.0.0.1:9")
    assert tracking.local_registry() is None
    monkeypatch.delenv("MLFLOW_REGISTRY_URI")
    monkeypatch.setenv(tracking.URI, "http://127.0.0.1:9")
    assert tracking.local_registry() is None
