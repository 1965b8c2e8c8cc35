"""`winnow schedule`: the flow again and again at the times of a cron expression, one run at a time."""

from pathlib import Path

from components.core.errors import WinnowError
from components.core.lock import locked
from components.core.signals import stoppable
from pipelines.server import serving

LOCK = Path(".winnow/schedule.lock")


def serve_schedule(cron: str, timezone: str) -> None:
    """Run what is stale whenever `cron` says so in `timezone`, until stopped.

    Raises WinnowError for an expression or a time zone that does not exist, and where this folder has a schedule.
    """
    _check(cron, timezone)
    busy = "process {pid} already runs this folder on a schedule: stop it first."
    with stoppable(), locked(LOCK, wait=0, busy=busy), serving() as address:
        from prefect.schedules import Cron
        from prefect.settings import PREFECT_API_URL, temporary_settings

        from pipelines.flow import pipeline
        from pipelines.reconcile import workspace_tag

        print(f"Flow runs: {address.removesuffix('/api')} (at {cron}, {timezone}; Ctrl-C ends it)", flush=True)
        with temporary_settings({PREFECT_API_URL: address}):  # Prefect was imported before the server was up
            pipeline.serve(
                name=workspace_tag(),
                schedule=Cron(cron, timezone=timezone),
                tags=[workspace_tag()],
                limit=1,
                description=f"{Path.cwd().name}: whatever is stale",
                print_starting_message=False,
            )


def _check(cron: str, timezone: str) -> None:
    from zoneinfo import ZoneInfo

    from prefect.client.schemas.schedules import CronSchedule

    try:
        ZoneInfo(timezone)
    except (ValueError, OSError, KeyError):  # an unknown one is a KeyError
        raise WinnowError(f"unknown time zone '{timezone}': name one like Europe/Berlin or UTC.") from None
    try:
        CronSchedule(cron=cron)
    except ValueError:
        raise WinnowError(
            f"'{cron}' is not a cron expression: five fields, minute hour day month weekday, like \"0 3 * * *\"."
        ) from None
