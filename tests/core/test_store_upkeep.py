"""MLflow's database: of an older version it is migrated with a copy kept, and runs that died are closed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from components.core import store_upkeep, tracking
from components.core.errors import WinnowError


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, and where MLflow's file would lie in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(tracking.URI, raising=False)
    Path("params.yaml").write_text("register: {name: toys}\n")
    yield tmp_path / "mlflow.db"
    tracking._client = None


def _stamp(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32))")
        connection.execute("DELETE FROM alembic_version")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))


def test_without_a_database_nothing_is_behind(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store_upkeep.behind() == ""
    assert store_upkeep.unfinished() == []
    monkeypatch.setenv(tracking.URI, "http://127.0.0.1:5000")
    assert store_upkeep.behind() == ""


def test_an_older_schema_is_told_and_a_newer_one_refused(database: Path) -> None:
    head, known = store_upkeep._revisions()
    older = min(known - {head})
    _stamp(database, head)
    assert store_upkeep.behind() == ""
    _stamp(database, older)
    assert store_upkeep.behind() == f"{database} is of an older MLflow (schema {older}, not {head})."
    _stamp(database, "ffffffffffff")
    with pytest.raises(WinnowError, match="was made by a newer MLflow"):
        store_upkeep.behind()


def test_a_file_that_is_no_database_is_told(database: Path) -> None:
    database.write_text("not a database, but long enough to be looked at" * 30)
    with pytest.raises(WinnowError, match="is no database that can be read"):
        store_upkeep.behind()


def test_a_migration_that_fails_leaves_the_database_as_it_was(database: Path) -> None:
    _, known = store_upkeep._revisions()
    _stamp(database, sorted(known)[1])  # says so, but has no tables to migrate
    before = database.read_bytes()
    with pytest.raises(WinnowError, match="could not be migrated and is as it was"):
        store_upkeep.migrate()
    assert database.read_bytes() == before


@pytest.mark.slow
def test_a_database_of_an_older_mlflow_is_migrated_and_the_old_one_kept(database: Path) -> None:
    tracking.opened()
    tracking._client = None
    _take_back_the_last_migration(database)
    assert "is of an older MLflow" in store_upkeep.behind()
    assert store_upkeep.migrate().startswith(f"migrated {database}; the old one is {database}.")
    assert store_upkeep.behind() == ""
    assert len(list(database.parent.glob("mlflow.db.*.bak"))) == 1
    assert tracking.experiment()


@pytest.mark.slow
def test_runs_that_died_are_closed_and_those_that_live_are_not(database: Path) -> None:
    store = tracking.opened()
    dead = store.create_run(tracking.experiment(), run_name="pipeline").info.run_id
    with tracking.stage_run("toy", key="k", params={}):
        tracking.deliver()
        assert store_upkeep.unfinished() == [dead]
        assert store_upkeep.close([dead]) == "closed as killed: 1."
        assert store_upkeep.unfinished() == []
    assert store.get_run(dead).info.status == "KILLED"


def _take_back_the_last_migration(path: Path) -> None:
    from alembic import command
    from mlflow.store.db.utils import _get_alembic_config, create_sqlalchemy_engine

    url = f"sqlite:///{path}"
    config, engine = _get_alembic_config(url), create_sqlalchemy_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "-1")
    engine.dispose()
