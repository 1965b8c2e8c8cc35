"""MLflow: the project's store and experiment, and the stage runs that are delivered to it."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.core import journal
from components.core.config import block, read_params
from components.core.delivery import push_unless_deleted
from components.core.errors import Unavailable, WinnowError
from components.core.files import replacing
from components.core.journal import Record
from components.core.lock import locked
from components.core.secrets import without_secrets
from components.core.signals import stoppable
from components.core.store_calls import DELETED
from components.core.store_places import WORKSPACE, bring_along, workspace

LOCK = Path(".winnow/tracking.lock")
URI = "MLFLOW_TRACKING_URI"
SQLITE = "sqlite:///"
NOBODY_THERE = ("Failed to establish a new connection", "Failed to resolve")  # in urllib3's words


class Tracker:
    """What a running stage reports to. A pipeline run in the environment means that its owner delivers to MLflow."""

    def __init__(self, record: Record, *, delivers: bool) -> None:
        self._record = record
        self._delivers = delivers

    def log_epoch(self, step: int, metrics: Mapping[str, float]) -> None:
        """Figures of one epoch, one batch to MLflow: what does not arrive is kept and sent with the next."""
        self._record.epoch(step, metrics)
        if self._delivers:
            deliver_or_say()

    def finish(self, metrics: Mapping[str, float], artifacts: list[Path]) -> None:
        """The stage's own figures, and the files a person opens."""
        self._record.facts["metrics"] = {name: float(value) for name, value in metrics.items()}
        self._record.keep(artifacts)


@contextmanager
def stage_run(stage: str, *, key: str, params: Mapping[str, Any]) -> Iterator[Tracker]:
    """Track one stage: an error ends its run as FAILED with the sentence as a tag, SIGTERM or Ctrl-C as KILLED.

    Nothing here needs MLflow to answer: what cannot be delivered stays in `.winnow/runs` for the next delivery.
    """
    delivers = journal.PARENT not in os.environ
    try:
        with stoppable(), journal.recording(stage, key=key, params=params) as record:
            yield Tracker(record, delivers=delivers)
    finally:
        if delivers:
            deliver_or_say()


def deliver() -> None:
    """Write every waiting record to MLflow and remove those that are over. Safe to repeat and to interrupt.

    Raises WinnowError when the tracking server does not answer; the records wait.
    """
    if not any(journal.RUNS.glob("*/record.json")):
        return
    with locked(LOCK, wait=120, busy="process {pid} has been writing to MLflow for two minutes: stop it or wait."):
        store = client()
        for record in journal.records():
            with answering():
                push_unless_deleted(store, record, experiment)
            if record.facts["status"] != journal.RUNNING:
                shutil.rmtree(record.folder)


def deliver_or_say() -> None:
    """Deliver; where MLflow does not answer, one line says so and the work goes on."""
    try:
        deliver()
    except WinnowError as error:
        print(f"winnow: {error}", file=sys.stderr)


def tracking_uri() -> str:
    """`MLFLOW_TRACKING_URI`, or one database file in the project's folder for whatever process asks.

    What follows a `?` in such an address is no part of the path: where the folder's name holds one, it is left out.
    """
    path = Path("mlflow.db").absolute()
    return os.environ.get(URI) or f"{SQLITE}{'mlflow.db' if '?' in str(path) else path}"


def database() -> Path | None:
    """The SQLite file that MLflow uses; None for a server or another database."""
    uri = tracking_uri()
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def own_database() -> Path | None:
    """That file, where it is this workspace's own: another may be shared by several."""
    path = database()
    return path if path is not None and path.absolute() == Path("mlflow.db").absolute() else None


def local_registry() -> Path | None:
    """The database that holds the model versions, its places brought along; None for a server, or where none is yet."""
    path = None if os.environ.get("MLFLOW_REGISTRY_URI") else database()
    if path is None or not path.is_file() or not path.stat().st_size:
        return None
    _bring_along()
    return path


def client() -> Any:
    """An `MlflowClient` on the project's store, which is created or brought up to date first. Quiet.

    Processes that may race for a fresh store go through `opened`, which holds the lock meanwhile.
    """
    global _client
    if _client is None or _client[0] != tracking_uri():
        _quiet()
        from mlflow import MlflowClient

        uri = tracking_uri()
        with answering():
            _create_store(uri)
            _be_default(uri)
            made = MlflowClient(tracking_uri=uri, registry_uri=os.environ.get("MLFLOW_REGISTRY_URI") or uri)
        _client = (uri, made)
    return _client[1]


def opened() -> Any:
    """`client()`, made under the lock: two processes on a fresh store would otherwise break each other."""
    with locked(LOCK, wait=120, busy="process {pid} has been writing to MLflow for two minutes: stop it or wait."):
        return client()


def experiment_name() -> str:
    """`MLFLOW_EXPERIMENT_NAME`, or `register.name`."""
    return os.environ.get("MLFLOW_EXPERIMENT_NAME") or str(block(read_params(), "register").get("name") or "winnow")


def experiment() -> str:
    """Id of the project's experiment, created where there is none. Raises WinnowError for one that was deleted."""
    name, store = experiment_name(), client()
    with answering():
        found = store.get_experiment_by_name(name)
        if found is not None and found.lifecycle_stage == DELETED:
            raise WinnowError(
                f"the experiment {name} was deleted in MLflow's pages: `winnow doctor --fix` brings it back; "
                "MLFLOW_EXPERIMENT_NAME or register.name takes another."
            )
        if found is not None:
            return str(found.experiment_id)
        local = tracking_uri().startswith("sqlite:")
        place = Path("mlartifacts").absolute().as_uri() if local else None
        kind = {"mlflow.experimentKind": "custom_model_development"}  # the pages open on models, not on chats
        tags = {**kind, **({WORKSPACE: workspace()} if own_database() else {})}
        return str(store.create_experiment(name, artifact_location=place, tags=tags))


@contextmanager
def answering() -> Iterator[None]:
    """Turn every way in which a store can fail into one sentence; `Unavailable` where it may answer another time."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except ImportError as error:  # the driver of a database
        raise WinnowError(
            f"{URI} names a store that needs the Python package {error.name}: install it, or take {URI} away."
        ) from error
    except (MlflowException, RequestException, SQLAlchemyError, sqlite3.Error) as error:
        uri = without_secrets(tracking_uri())
        said = without_secrets(" ".join(str(error).split()))
        answer = f"said no: {said[:200]}"
        if any(words in said for words in NOBODY_THERE):
            answer = f"does not answer: start that server, or take {URI} away"
        kind = Unavailable if _may_pass(error) else WinnowError
        raise kind(f"MLflow at {uri} {answer} (what waits in {journal.RUNS} is not lost).") from error


_client: tuple[str, Any] | None = None
_PASSING = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED")


def _may_pass(error: Exception) -> bool:
    """A server that is down, slow or broken, or a database that another process holds: not a question put wrongly."""
    if tracking_uri().startswith("http"):
        return getattr(error, "error_code", "INTERNAL_ERROR") in _PASSING
    return "database is locked" in str(error)


def _create_store(uri: str) -> None:
    """Make a local database aside and whole: MLflow never gets over one whose making was cut short."""
    from mlflow import MlflowClient

    path = database()
    if path is not None and not path.exists():
        with replacing(path) as aside:
            address = uri.removesuffix(path.name) + aside.name
            MlflowClient(tracking_uri=address).search_experiments(max_results=1)
    _bring_along()


def _bring_along() -> None:
    """A database that was copied or moved here with its workspace is made this workspace's own."""
    own = own_database()
    if own is not None and own.is_file() and own.stat().st_size and (others := bring_along(own)):
        print(f"winnow: this workspace was {', '.join(others)} before: MLflow's places came along.", file=sys.stderr)


def _be_default(uri: str) -> None:
    """Parts of MLflow take the default store, which an `mlruns/` folder left from earlier would decide."""
    import mlflow

    told = os.environ.get(URI)
    mlflow.set_tracking_uri(uri)
    if told is None:
        os.environ.pop(URI, None)  # where MLflow notes it: a process in another folder has another store


def _quiet() -> None:
    import logging

    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # a line for every run
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow").setLevel(os.environ["MLFLOW_LOGGING_LEVEL"])  # where it was imported before
