"""Delivery of a record to MLflow: a stage run as it happened: settings, figures, files, code version, data set."""

import re
import sys
from collections.abc import Callable
from typing import Any

from components.core import journal
from components.core.journal import Record
from components.core.store_calls import deleted, join, log_params, note_dataset, run_name


def push_unless_deleted(store: Any, record: Record, experiment: Callable[[], str]) -> None:
    """Bring the record's run up to date. experiment: the id of the project's, asked for where a run is made.

    What a record has to tell of a run that was deleted is nobody's wish any more: it must not hold up the others.
    """
    from mlflow.exceptions import MlflowException

    try:
        _push(store, record, experiment)
    except MlflowException:
        run_id = record.delivered().get("run_id")
        if run_id is None or not deleted(store, run_id):
            raise
        if record.facts["status"] != journal.RUNNING:
            what = f"a run of {record.facts['name']} was deleted in MLflow's pages"
            print(f"winnow: {what}: it stays so.", file=sys.stderr)


def _push(store: Any, record: Record, experiment: Callable[[], str]) -> None:
    """Bring the record's run in MLflow up to date; `delivered.json` beside it says what already is."""
    from mlflow.entities import Metric

    facts, state = record.facts, record.delivered()
    if "run_id" not in state:
        state = {"run_id": _create(store, facts, experiment()), "epochs": 0}
        record.note_delivered(state)
        log_params(store, state["run_id"], facts["params"])
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
        _close(store, run_id, record, experiment)


def _create(store: Any, facts: dict[str, Any], experiment: str) -> str:
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
    run = store.create_run(
        experiment, start_time=facts["started"], tags=tags, run_name=run_name(facts["name"], tags, facts["started"])
    )
    if facts["dataset"]:
        note_dataset(store, run.info.run_id, facts["dataset"])
    return str(run.info.run_id)


def _close(store: Any, run_id: str, record: Record, experiment: Callable[[], str]) -> None:
    artifacts = record.folder / "artifacts"
    if artifacts.is_dir():
        store.log_artifacts(run_id, str(artifacts))
    if record.facts.get("joins") and record.facts["status"] == journal.FINISHED:
        join(store, run_id, experiment(), record)
    if "failure" in record.facts["tags"]:
        store.set_tag(run_id, "failure", record.facts["tags"]["failure"][:5000])
    store.set_terminated(run_id, status=record.facts["status"], end_time=record.facts["ended"])


def _name(metric: str) -> str:
    """The metric's name with what MLflow does not take replaced."""
    return re.sub(r"[^\w\-. :/]", "_", metric)
