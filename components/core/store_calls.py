"""What MLflow's store takes and gives only in parts or in its own words: lists, settings, names, data sets, pages."""

import functools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from components.core import journal
from components.core.store_places import WORKSPACE, workspace

DELETED = "deleted"  # MLflow's word for what its pages have put into the bin


def all_pages(search: Callable[..., Any]) -> list[Any]:
    """Everything that a search of the store finds, which gives a page at a time."""
    found = page = search()
    while page.token:
        page = search(page_token=page.token)
        found = [*found, *page]
    return list(found)


def every_experiment(store: Any) -> list[Any]:
    """All experiments, those that were deleted in the pages too."""
    from mlflow.entities import ViewType

    return all_pages(functools.partial(store.search_experiments, view_type=ViewType.ALL))


def log_params(store: Any, run_id: str, params: Mapping[str, str]) -> None:
    """Give a run its settings, 100 at a time as the store takes them; the pages show 6,000 characters of each."""
    from mlflow.entities import Param

    every = [Param(name, text[:6000]) for name, text in params.items()]
    for start in range(0, len(every), 100):
        store.log_batch(run_id, params=every[start : start + 100])


def run_name(what: str, tags: Mapping[str, str], began: int | None = None) -> str:
    """A name that tells runs apart: what ran, when (UTC) and which commit, with a `+` where files differ from it.

    began: milliseconds since 1970; None: now.
    """
    moment = datetime.fromtimestamp((journal.now() if began is None else began) / 1000, UTC)
    changed = "+" if tags.get("git_dirty") == "true" else ""
    return f"{what} {moment:%Y-%m-%d %H:%M} {tags.get('git_commit', '')[:7]}{changed}".rstrip()


def note_dataset(store: Any, run_id: str, digest: str) -> None:
    """Name the data set that a run saw: the manifest's sha256, as far as MLflow's 36 characters go."""
    from mlflow.entities import Dataset, DatasetInput

    source = '{"uri": "data/ingest/manifest.parquet"}'
    data = Dataset(name="manifest", digest=digest[:36], source_type="local", source=source)
    store.log_inputs(run_id, [DatasetInput(data)])


def deleted(store: Any, run_id: str) -> bool:
    """Whether somebody deleted that run in MLflow's pages, for good or not."""
    from mlflow.exceptions import MlflowException

    try:
        return bool(store.get_run(run_id).info.lifecycle_stage == DELETED)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return True
        raise


def join(store: Any, run_id: str, experiment: str, record: journal.Record) -> None:
    """Put the record's page among the artifacts of its pipeline run, unless that was deleted, and its run under it.

    Under plain `dvc repro` that is the workspace's newest one, which `register` made and which is over by now.
    """
    found = [record.facts["parent"]] if record.facts["parent"] else _newest_pipeline_run(store, experiment)
    for pipeline in (one for one in found if not deleted(store, one)):
        store.log_artifact(pipeline, str(record.folder / "artifacts" / record.facts["joins"]))
        store.set_tag(pipeline, f"stage.{record.facts['name']}", run_id)
        store.set_tag(run_id, "mlflow.parentRunId", pipeline)


def _newest_pipeline_run(store: Any, experiment: str) -> list[str]:
    """Its id, where there is one."""
    query = f"tags.pipeline = 'true' and tags.{WORKSPACE} = '{workspace()}'"
    latest = ["attributes.start_time DESC"]
    runs = store.search_runs([experiment], filter_string=query, order_by=latest, max_results=1)
    return [run.info.run_id for run in runs]
