"""MLflow: stage runs as they happened, with their settings, figures, pictures, code version and data set."""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.core import journal
from components.core.config import read_params
from components.core.errors import Unavailable, WinnowError
from components.core.files import replacing
from components.core.journal import Record
from components.core.lock import locked
from components.core.signals import stoppable

LOCK = Path(".winnow/tracking.lock")
URI = "MLFLOW_TRACKING_URI"
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
                _push(store, record)
            if record.facts["status"] != journal.RUNNING:
                shutil.rmtree(record.folder)


def deliver_or_say() -> None:
    """Deliver; where MLflow does not answer, one line says so and the work goes on."""
    try:
        deliver()
    except WinnowError as error:
        print(f"winnow: {error}", file=sys.stderr)


def tracking_uri() -> str:
    """`MLFLOW_TRACKING_URI`, or one database file in the project's folder for whatever process asks."""
    return os.environ.get(URI) or f"sqlite:///{Path('mlflow.db').absolute()}"


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
            made = MlflowClient(tracking_uri=uri, registry_uri=os.environ.get("MLFLOW_REGISTRY_URI") or uri)
        _client = (uri, made)
    return _client[1]


def opened() -> Any:
    """`client()`, made under the lock: two processes on a fresh store would otherwise break each other."""
    with locked(LOCK, wait=120, busy="process {pid} has been writing to MLflow for two minutes: stop it or wait."):
        return client()


def experiment() -> str:
    """Id of the project's experiment (`MLFLOW_EXPERIMENT_NAME`, or `register.name`), created where there is none."""
    block = read_params().get("register")
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or (block or {}).get("name") or "winnow"
    store = client()
    with answering():
        found = store.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        local = tracking_uri().startswith("sqlite:")
        place = Path("mlartifacts").absolute().as_uri() if local else None
        kind = {"mlflow.experimentKind": "custom_model_development"}  # the pages open on models, not on chats
        return str(store.create_experiment(name, artifact_location=place, tags=kind))


def keep_page(run_id: str, path: Path) -> None:
    """Put one file among the artifacts of a run."""
    with answering():
        opened().log_artifact(run_id, str(path))


def note_dataset(store: Any, run_id: str, digest: str) -> None:
    """Name the data set that a run saw: the manifest's sha256, as far as MLflow's 36 characters go."""
    from mlflow.entities import Dataset, DatasetInput

    source = '{"uri": "data/ingest/manifest.parquet"}'
    data = Dataset(name="manifest", digest=digest[:36], source_type="local", source=source)
    store.log_inputs(run_id, [DatasetInput(data)])


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
    except (MlflowException, RequestException, SQLAlchemyError) as error:
        uri = journal.without_secrets(tracking_uri())
        said = journal.without_secrets(" ".join(str(error).split()))
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

    path = Path(uri.removeprefix("sqlite:///"))
    if uri.startswith("sqlite:///") and not path.exists():
        with replacing(path) as aside:
            MlflowClient(tracking_uri=f"sqlite:///{aside.absolute()}").search_experiments(max_results=1)


def _quiet() -> None:
    import logging

    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow").setLevel(os.environ["MLFLOW_LOGGING_LEVEL"])  # where it was imported before


def _push(store: Any, record: Record) -> None:
    """Bring the record's run in MLflow up to date; `delivered.json` beside it says what already is."""
    from mlflow.entities import Metric, Param

    facts, state = record.facts, record.delivered()
    if "run_id" not in state:
        state = {"run_id": _create(store, facts), "epochs": 0}
        record.note_delivered(state)
        store.log_batch(state["run_id"], params=[Param(name, text[:6000]) for name, text in facts["params"].items()])
    run_id = state["run_id"]
    fresh = facts["epochs"][state["epochs"] :]
    points = [Metric(_name(k), v, e["time"], e["step"]) for e in fresh for k, v in e["metrics"].items()]
    over = facts["status"] != journal.RUNNING
    if over:
        points += [Metric(_name(name), value, facts["ended"], 0) for name, value in facts["metrics"].items()]
    for start in range(0, len(points), 1000):  # the store's limit for one batch
        store.log_batch(run_id, metrics=points[start : start + 1000])
    record.note_delivered({**state, "epochs": len(facts["epochs"])})
    if over:
        _close(store, run_id, record)


def _create(store: Any, facts: dict[str, Any]) -> str:
    tags = {
        "mlflow.source.name": f"components/stages/{facts['name']}.py",
        "mlflow.source.type": "LOCAL",
        **facts["tags"],
    }
    if "git_commit" in tags:
        tags["mlflow.source.git.commit"] = tags["git_commit"]
    if facts["parent"]:
        tags["mlflow.parentRunId"] = facts["parent"]
    if facts["dataset"]:
        tags["dataset_digest"] = facts["dataset"]
    run = store.create_run(experiment(), start_time=facts["started"], tags=tags, run_name=facts["name"])
    if facts["dataset"]:
        note_dataset(store, run.info.run_id, facts["dataset"])
    return str(run.info.run_id)


def _close(store: Any, run_id: str, record: Record) -> None:
    artifacts = record.folder / "artifacts"
    if artifacts.is_dir():
        store.log_artifacts(run_id, str(artifacts))
    if "failure" in record.facts["tags"]:
        store.set_tag(run_id, "failure", record.facts["tags"]["failure"][:5000])
    store.set_terminated(run_id, status=record.facts["status"], end_time=record.facts["ended"])


def _name(metric: str) -> str:
    """The metric's name with what MLflow does not take replaced."""
    return re.sub(r"[^\w\-. :/]", "_", metric)
