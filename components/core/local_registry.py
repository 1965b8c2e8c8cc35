"""A registry in a local database, only read, and without MLflow: its import takes longer than the answer does."""

import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

SCHEMA = "dc11669786a5"  # of MLflow's database, by which the queries below were written
# Why S608 is silenced: what is set into these queries are words of this file; a model's name goes in as a parameter
_OWN = "workspace = 'default' AND name = ?"  # MLflow's workspace, which a local store has one of
_ALIASES = f"SELECT version, alias FROM registered_model_aliases WHERE {_OWN} ORDER BY alias"  # noqa: S608
_TAGS = f"SELECT version, key, value FROM model_version_tags WHERE {_OWN}"  # noqa: S608
_VERSIONS = (
    f"SELECT version, source, run_id, creation_time FROM model_versions WHERE {_OWN} "  # noqa: S608
    "AND current_stage != 'Deleted_Internal' ORDER BY version DESC"
)


@dataclass(frozen=True)
class Row:
    """What the database says of a version; created in milliseconds since 1970."""

    number: int
    source: str
    run_id: str
    created: int
    aliases: tuple[str, ...]
    tags: dict[str, str]


def read_versions(database: Path, name: str) -> list[Row] | None:
    """All versions of the model, newest first; None where the database is not one of this schema: MLflow must be asked.

    Raises sqlite3.Error.
    """
    address = f"{database.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=60, isolation_level=None)) as store:
        store.execute("BEGIN")  # all four answers are of one moment
        if not _is_known(store):
            return None
        aliases, tags = defaultdict[int, list[str]](list), defaultdict[int, dict[str, str]](dict)
        for number, alias in store.execute(_ALIASES, (name,)):
            aliases[number].append(alias)
        for number, key, value in store.execute(_TAGS, (name,)):
            tags[number][key] = value or ""
        return [
            Row(number, source or "", run_id or "", created, tuple(aliases[number]), tags[number])
            for number, source, run_id, created in store.execute(_VERSIONS, (name,))
        ]


def _is_known(store: sqlite3.Connection) -> bool:
    tables = store.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchall()
    return bool(tables) and store.execute("SELECT version_num FROM alembic_version").fetchall() == [(SCHEMA,)]
