"""MLflow writes absolute places into its database: where a workspace was copied or moved, they come along."""

import platform
import sqlite3
from contextlib import closing
from pathlib import Path

WORKSPACE = "workspace"  # tag of a run and of an experiment: machine and folder
_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
_TAGS = ("tags", "experiment_tags")


def workspace() -> str:
    """This machine and folder, so that nobody closes another's run in a shared store."""
    return f"{platform.node()}:{Path.cwd().as_posix()}"


def bring_along(database: Path) -> list[str]:
    """Rewrite the places that lay in the folders this database was in before; returns those. One transaction.

    Only what lay in such a folder is touched: another place was somebody's choice. Raises sqlite3.Error.
    """
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as store:
        if not _others(store):
            return []
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as store:
        store.execute("BEGIN IMMEDIATE")
        folders = {Path(other.partition(":")[2]) for other in _others(store)} - {Path.cwd()}
        for folder in folders:
            _rewrite(store, f"{folder.as_uri()}/", f"{Path.cwd().as_uri()}/")
            _rewrite(store, f"{folder}/", f"{Path.cwd()}/")
        for table in _TAGS:
            store.execute(f"UPDATE {table} SET value = ? WHERE key = ?", (workspace(), WORKSPACE))  # noqa: S608
        store.execute("COMMIT")
    return sorted(map(str, folders))


def _others(store: sqlite3.Connection) -> set[str]:
    known = {row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    asked = [f"SELECT value FROM {table} WHERE key = '{WORKSPACE}'" for table in _TAGS if table in known]  # noqa: S608
    found = {row[0] for row in store.execute(" UNION ".join(asked))} if asked else set()
    return found - {workspace()}


def _rewrite(store: sqlite3.Connection, old: str, new: str) -> None:
    for table, column in _PLACES:
        query = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?"  # noqa: S608
        store.execute(query, (new, len(old) + 1, len(old), old))
