"""Flow runs that a crash left `Running` in Prefect: found and closed when the next run of the folder begins."""

import hashlib
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from components.core.lock import held, locked

ALIVE = Path(".winnow/flows")  # a lock file per flow run, held while its process lives
MESSAGE = "its process died without a word; closed when the next run began"
SUSPENDED = "Suspended"  # by the pages: its process ended on purpose, and another will go on
YOUNG = timedelta(seconds=30)  # between Prefect's `Running` and the lock file


def workspace_tag() -> str:
    """Which machine and folder a flow run works in: only its own runs may be closed from here."""
    digest = hashlib.sha256(f"{platform.node()}:{Path.cwd()}".encode()).hexdigest()
    return f"{Path.cwd().name}-{digest[:8]}"


@contextmanager
def alive() -> Iterator[None]:
    """Mark the flow run this is called in as living while the block runs, and close this folder's dead ones first."""
    from prefect.client.orchestration import get_client
    from prefect.runtime import flow_run

    name = str(flow_run.get_id())
    with locked(ALIVE / name, wait=0, busy="process {pid} already runs this flow run."):
        with get_client(sync_client=True) as client:
            client.update_flow_run(UUID(name), tags={*flow_run.get_tags(), workspace_tag()})
        close_crashed()
        yield
    (ALIVE / name).unlink(missing_ok=True)


def close_crashed() -> int:
    """Mark as crashed what this folder's dead processes left running in Prefect; returns how many flow runs."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterTags
    from prefect.client.schemas.objects import StateType
    from prefect.states import Crashed

    unfinished = [StateType.RUNNING, StateType.CANCELLING, StateType.PAUSED]
    open_states = FlowRunFilterState.model_validate({"type": {"any_": unfinished}})
    tagged = FlowRunFilterTags(all_=[workspace_tag()])
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(flow_run_filter=FlowRunFilter(state=open_states, tags=tagged))
        dead = [run for run in found if run.state_name != SUSPENDED and not _lives(run)]
        for run in dead:
            client.set_flow_run_state(run.id, Crashed(message=MESSAGE), force=True)
            _close_task_runs(client, run.id)
            (ALIVE / str(run.id)).unlink(missing_ok=True)
    return len(dead)


def drop_missed() -> None:
    """Forget this folder's runs that were due while nobody kept the schedule: the next one does their work."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterTags
    from prefect.client.schemas.objects import StateType

    waiting = FlowRunFilterState.model_validate({"type": {"any_": [StateType.SCHEDULED]}})
    tagged = FlowRunFilterTags(all_=[workspace_tag(), "auto-scheduled"])
    with get_client(sync_client=True) as client:
        for run in client.read_flow_runs(flow_run_filter=FlowRunFilter(state=waiting, tags=tagged)):
            client.delete_flow_run(run.id)


def _lives(run: Any) -> bool:
    began = run.start_time or run.created
    return held(ALIVE / str(run.id)) or datetime.now(UTC) - began < YOUNG


def _close_task_runs(client: Any, flow_run: Any) -> None:
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
    from prefect.states import Crashed

    for run in client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run]))):
        if run.state is None or not run.state.is_final():
            client.set_task_run_state(run.id, Crashed(message=MESSAGE), force=True)
