"""One MLflow run per run of the pipeline, every stage's run linked: those that ran, and those DVC could reuse."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core import journal, tracking
from components.core.config import read_params
from components.core.dag import StageSpec, read_stages
from components.core.files import read_json, sha256
from components.core.made_from import FOLDER, made_from
from components.core.secrets import without_secrets
from components.core.store_calls import all_pages, deleted, log_params, note_dataset, run_name
from components.core.store_places import WORKSPACE, workspace

KEY = "WINNOW_STAGE_KEY"  # environment: the key of the stage that this process runs


@dataclass(frozen=True)
class Link:
    """How one stage came to its outputs in this pipeline run; `run_id` is empty where no run is known."""

    stage: str
    how: str  # ran | reused | failed | killed | running | to come | not run | untracked
    run_id: str = ""


def begin() -> str:
    """Open the pipeline run with the code's, the graph's and the settings' digests as tags; returns its id."""
    tracking.deliver_or_say()
    store = tracking.opened()
    tags = {
        **journal.provenance(),
        "pipeline": "true",
        WORKSPACE: workspace(),
        "params_digest": sha256(Path("params.yaml")),
        "mlflow.source.name": "dvc.yaml",
        "mlflow.source.type": "PROJECT",
    }
    if "git_commit" in tags:
        tags["mlflow.source.git.commit"] = tags["git_commit"]
    params = {name: without_secrets(text) for name, text in journal.flatten(read_params())}
    with tracking.answering():
        run = store.create_run(tracking.experiment(), tags=tags, run_name=run_name("pipeline", tags))
        log_params(store, run.info.run_id, params)
    return str(run.info.run_id)


def keep_source(run_id: str) -> None:
    """Put what the run was made from among its artifacts: settings, graph, and how the code differs from its commit."""
    store = tracking.opened()
    with tracking.answering(), made_from() as folder:
        store.log_artifacts(run_id, str(folder), FOLDER)


def keep_json(run_id: str, name: str, make: Callable[[int], dict[str, Any]]) -> None:
    """Put a JSON object among the run's artifacts as the file `name`; `make` is told when the run began (ms)."""
    store = tracking.opened()
    with tracking.answering():
        store.log_dict(run_id, make(int(store.get_run(run_id).info.start_time)), name)


def end(run_id: str, *, status: str, within: str = "") -> list[Link]:
    """Link every stage to the pipeline run, give it the evaluation's figures and close it.

    within: the stage that ends it, where one does: what reads that stage's outputs is still to come.
    Figures and data set are those of this run: made in it, or found up to date by a run that came to its end.
    """
    from mlflow.entities import Metric

    links = _link(run_id, within, proven=status == journal.FINISHED)
    made = {link.stage for link in links if link.how in ("ran", "reused")}
    store = tracking.opened()
    figures = _figures() if "evaluate" in made else {}
    with tracking.answering():
        if deleted(store, run_id):
            print("winnow: this run was deleted in MLflow's pages meanwhile; it stays so.", file=sys.stderr)
            return links
    keep_source(run_id)
    with tracking.answering():
        for name, value in journal.provenance().items():
            store.set_tag(run_id, name, value)
        for link in links:
            store.set_tag(run_id, f"stage.{link.stage}", link.run_id or link.how)
        store.set_tag(run_id, "mlflow.note.content", _note(links, tracking.experiment()))
        points = [Metric(name, value, journal.now(), 0) for name, value in figures.items()]
        store.log_batch(run_id, metrics=points)
        if "ingest" in made and (digest := journal.dataset()):
            note_dataset(store, run_id, digest)
        store.set_terminated(run_id, status=status)
    return links


def close_abandoned() -> None:
    """End as killed the pipeline runs that a crash left running. The caller holds the folder's lock: none is alive."""
    tracking.deliver_or_say()
    store, experiment = tracking.opened(), tracking.experiment()
    query = f"tags.pipeline = 'true' and tags.workspace = '{workspace()}' and attributes.status = 'RUNNING'"
    with tracking.answering():
        for run in _search(store, experiment, query):
            store.set_tag(run.info.run_id, "failure", "its process died without a word.")
            store.set_terminated(run.info.run_id, status=journal.KILLED)


def stage_keys() -> dict[str, str]:
    """The key of each stage whose inputs all exist; each file is read once."""
    params = read_params()
    digest = functools.cache(sha256)
    specs = read_stages()
    return {name: spec.key(params, Path(), digest) for name, spec in specs.items() if _ready(spec)}


def _link(run_id: str, within: str, *, proven: bool) -> list[Link]:
    """Find each stage's run: a child of this pipeline run, or the last good run with the same key.

    proven: DVC went through all stages; else nobody knows whether one that did not run still has its outputs.
    """
    tracking.deliver()
    store, experiment = tracking.opened(), tracking.experiment()
    keys, stages = stage_keys(), read_stages()
    made = set(stages[within].outputs) if within else set()
    with tracking.answering():
        under = _search(store, experiment, f"tags.`mlflow.parentRunId` = '{run_id}'")
        children = {run.data.tags.get("stage", ""): run for run in reversed(under)}
        return [
            Link(name, "to come")
            if made & set(spec.dependencies)
            else _one(store, experiment, name, keys.get(name), children.get(name), run_id, proven=proven)
            for name, spec in stages.items()
        ]


def _one(store: Any, experiment: str, name: str, key: str | None, child: Any, run_id: str, *, proven: bool) -> Link:
    if child is not None:
        how = {"FINISHED": "ran"}.get(child.info.status, child.info.status.lower())
        return Link(name, how, child.info.run_id)
    if key is None or not (Path("data") / name).is_dir():
        return Link(name, "not run")
    found = _search(store, experiment, f"tags.stage_key = '{key}'")
    usable = [run for run in found if run.info.status in ("FINISHED", "RUNNING")]
    if not usable:
        return Link(name, "untracked")
    run = usable[0]
    if "mlflow.parentRunId" in run.data.tags:
        return Link(name, "reused", run.info.run_id) if proven else Link(name, "not run")
    store.set_tag(run.info.run_id, "mlflow.parentRunId", run_id)
    return Link(name, "ran" if run.info.status == "FINISHED" else "running", run.info.run_id)


def _search(store: Any, experiment: str, query: str) -> list[Any]:
    """Matching runs, newest first."""
    return all_pages(
        functools.partial(store.search_runs, [experiment], filter_string=query, order_by=["attributes.start_time DESC"])
    )


def _ready(spec: StageSpec) -> bool:
    return all(path.exists() for path in spec.dependencies)


def _figures() -> dict[str, float]:
    path = Path("data/evaluate/metrics.json")
    if not path.is_file():
        return {}
    values = read_json(path)
    return {name: float(value) for name, value in values.items() if isinstance(value, int | float)}


def _note(links: list[Link], experiment: str) -> str:
    lines = ["| stage | in this run | its run |", "|---|---|---|"]
    for link in links:
        target = f"[{link.run_id[:8]}](#/experiments/{experiment}/runs/{link.run_id})" if link.run_id else ""
        lines.append(f"| {link.stage} | {link.how} | {target} |")
    return "\n".join(lines)
