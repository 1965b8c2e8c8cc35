"""MLflow's local database over the years: behind the installed version or not, and runs that nobody will finish."""

import functools
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

from components.core import tracking
from components.core.errors import WinnowError
from components.core.journal import KILLED, RUNNING, records
from components.core.lock import locked
from components.core.store_calls import all_pages


def behind() -> str:
    """Why the database does not fit the installed MLflow, in a sentence; empty where it does, or is not a local file.

    Raises WinnowError for a file that is no database, or one of a newer MLflow.
    """
    path = tracking.database()
    if path is None or not path.is_file() or path.stat().st_size == 0:
        return ""
    has, (head, known) = _revision(path), _revisions()
    if has == head:
        return ""
    if has is not None and has not in known:
        raise WinnowError(f"{path} was made by a newer MLflow (schema {has}): install that version again.")
    return f"{path} is of an older MLflow (schema {has or 'unknown'}, not {head})."


def migrate() -> str:
    """Copy the database aside and bring it up to date; what was done. Raises WinnowError, with the old one in place."""
    path = tracking.database()
    assert path is not None
    kept = path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}.bak")
    with locked(tracking.LOCK, wait=10, busy="process {pid} is writing to MLflow: wait for it."):
        shutil.copy2(path, kept)
        command = [sys.executable, "-m", "mlflow", "db", "upgrade", tracking.tracking_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            shutil.copy2(kept, path)
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise WinnowError(f"{path} could not be migrated and is as it was: {reason}.")
    return f"migrated {path}; the old one is {kept}."


def unfinished() -> list[str]:
    """Ids of runs that MLflow counts as running though no process writes them.

    Of a local store alone: on a server others may be running.
    """
    path = tracking.database()
    if path is None or not path.is_file():
        return []
    tracking.deliver()  # a stage that died is closed by its own record
    living = {record.delivered().get("run_id") for record in records()}
    store = tracking.opened()
    with tracking.answering():
        running = f"attributes.status = '{RUNNING}'"
        runs = all_pages(functools.partial(store.search_runs, [tracking.experiment()], running))
    return [str(run.info.run_id) for run in runs if run.info.run_id not in living]


def close(runs: list[str]) -> str:
    """End the runs as killed; what was done."""
    store = tracking.opened()
    with tracking.answering():
        for run in runs:
            store.set_terminated(run, status=KILLED)
    return f"closed as killed: {len(runs)}."


def _revision(path: Path) -> str | None:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchall()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if tables else None
    except sqlite3.DatabaseError as error:
        raise WinnowError(
            f"{path} is no database that can be read ({error}): move it aside; a new one is made, without past runs."
        ) from None
    return str(row[0]) if row else None


def _revisions() -> tuple[str, set[str]]:
    """The newest schema of the installed MLflow, and all it knows."""
    from alembic.script import ScriptDirectory

    spec = find_spec("mlflow")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    scripts = ScriptDirectory(str(Path(next(iter(spec.submodule_search_locations))) / "store/db_migrations"))
    head = scripts.get_current_head()
    assert head is not None
    return head, {script.revision for script in scripts.walk_revisions()}
