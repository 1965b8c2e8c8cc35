"""`winnow run`: the flow in this process, and what came out printed."""

import sys
import time

from pipelines.flows.server import for_one_run
from pipelines.plan import check_start
from pipelines.settings import run_settings
from pipelines.summary import summarize


def run_flow(*, force: bool = False, start: str | None = None, people_hours: float = 0) -> int:
    """Run the pipeline as a Prefect flow, after people have answered or so many hours; returns the exit code."""
    began = time.monotonic()
    check_start(start)
    address = for_one_run(pages=bool(run_settings().review_minutes))
    from pipelines.flows.flow import pipeline  # it reads the server's address

    state = pipeline(force=force, start=start, people_hours=people_hours, return_state=True)
    if not state.is_completed():
        print(f"winnow: {state.message}", file=sys.stderr)
        return 1
    print(f"\n{summarize(time.monotonic() - began)}")
    if address:
        print(f"flow runs           {address.removesuffix('/api')}")
    return 0
