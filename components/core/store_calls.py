"""What MLflow's store takes and gives only in parts or in its own words: lists, settings, names, data sets."""

import functools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from components.core import journal


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
