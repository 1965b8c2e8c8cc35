"""What answers start by themselves: the next run, under DVC alone or as a Prefect flow."""

import sys
from typing import Literal

from components.datasets.ledger import read_ledger
from pipelines.labeling.places import LEDGER

Next = Literal["repro", "run"]


def rows() -> int:
    """How many the ledger has."""
    return len(read_ledger(LEDGER)) if LEDGER.is_file() else 0


def go_on(then: Next | None, before: int) -> None:
    """Run `winnow repro` or `winnow run` and end the process with its exit code; nothing where no run was asked for,
    or where the ledger has no more rows than before."""
    if then is None:
        return
    if rows() == before:
        print("No new answer, so no run.")
        return
    sys.stdout.flush()
    if then == "repro":
        from pipelines.repro import reproduce

        sys.exit(reproduce())
    from pipelines.flows.run import run_flow

    sys.exit(run_flow(force=False, start=None))
