"""`winnow schedule`: the flow again and again at the times of a cron expression, one run at a time."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from components.core.environment import prepare
from components.core.errors import WinnowError
from components.core.lock import locked
from components.core.signals import die_with_parent, stoppable
from pipelines.ending import end_with
from pipelines.flows.server import API, running, serving
from pipelines.settings import model_name

LOCK = Path(".winnow/schedule.lock")
GRACE = 15.0  # seconds for a running flow to stop its stage and say so to both servers


def keep_schedule(cron: str, timezone: str) -> None:
    """Run what is stale whenever `cron` says so in `timezone`, until stopped.

    Raises WinnowError for an expression or a time zone that does not exist, and where this folder has a schedule.
    """
    _check(cron, timezone)
    busy = "process {pid} already runs this folder on a schedule: stop it first."
    with stoppable(), locked(LOCK, wait=0, busy=busy), serving() as address:
        print(f"Flow runs: {address.removesuffix('/api')} (at {cron}, {timezone}; Ctrl-C ends it)", flush=True)
        quiet = ["-W", "ignore::RuntimeWarning"]  # Prefect's own, when its runner is stopped
        command = [sys.executable, *quiet, "-m", "pipelines.flows.schedule", cron, timezone]
        with subprocess.Popen(command, process_group=0) as runner:
            try:
                runner.wait()
            finally:
                _stop(runner)
    raise WinnowError("the schedule's runner ended by itself: what it said above tells why.")


def serve(cron: str, timezone: str) -> None:
    """What the runner's own process does; Prefect finds the server in the environment."""
    from prefect.schedules import Cron

    from pipelines.flows.flow import pipeline
    from pipelines.flows.reconcile import drop_missed, workspace_tag

    prepare()
    drop_missed()
    own = os.environ.get(API) == running()
    pipeline.serve(
        name=model_name() if own else f"{model_name()} {workspace_tag()}",  # a team's server may know it from elsewhere
        schedule=Cron(cron, timezone=timezone),
        tags=[workspace_tag(), timezone],
        limit=1,
        description=f"Whatever is stale in the folder {Path.cwd().name}, at {cron} by the clock of {timezone}.",
        print_starting_message=False,
    )


def _stop(runner: "subprocess.Popen[bytes]") -> None:
    """Ask the runner and a flow at work to end, all of its group, and insist after a while."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(runner.pid, number)
            runner.wait(GRACE)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


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


if __name__ == "__main__":
    die_with_parent()
    end_with(lambda: serve(*sys.argv[1:]), name="schedule")
