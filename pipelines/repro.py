"""`winnow repro`: what is stale runs under DVC alone, tracked, and what came out is printed."""

import time
from collections.abc import Mapping

from components.core.dag import StageSpec, read_stages
from components.core.errors import WinnowError
from pipelines.dvc import run_dvc
from pipelines.plan import check_start
from pipelines.records import drop_wrong_records
from pipelines.session import alone, registered, tracked
from pipelines.summary import summarize


class _DvcError(Exception):
    """DVC has already said what went wrong."""


def reproduce(*, force: bool = False, start: str | None = None) -> int:
    """Run what is stale, with `start` it and all after it, with `force` alone all; print the summary.

    Returns the exit code.
    """
    lines = commands(force=force, start=start)
    with alone():
        began = time.monotonic()
        try:
            _run(lines)
        except _DvcError:
            return 1
        print(f"\n{summarize(time.monotonic() - began)}")
    return 0


def commands(*, force: bool, start: str | None) -> list[list[str]]:
    """The `dvc` command lines that bring everything up to date. Raises WinnowError for an unknown stage."""
    if start is None:
        return [["repro", *(["--force"] if force else [])]]
    check_start(start)
    stages = read_stages()
    before = _makers(stages, start)
    return [*([["repro", *before]] if before else []), ["repro", "--force", "--downstream", start], ["repro"]]


def _makers(stages: dict[str, StageSpec], name: str) -> list[str]:
    """The stages that make what `name` reads."""
    wanted = set(stages[name].dependencies)
    return [other for other, spec in stages.items() if wanted & set(spec.outputs)]


def _run(lines: list[list[str]]) -> None:
    with tracked() as environment:
        for line in lines:
            _reproduce(line, environment)
        if not registered():
            print("register: the registry says something else of this model by now; asking it again")
            _reproduce(["repro", "--force", "--downstream", "register"], environment)


def _reproduce(line: list[str], environment: Mapping[str, str]) -> None:
    code = run_dvc(line, environment)
    if code < 0:
        raise WinnowError("dvc was killed, by a person or for want of memory: run it again.")
    if code:
        raise _DvcError
    if wrong := drop_wrong_records():  # before the next of DVC's runs, which may replace what was recorded
        raise WinnowError("\nwinnow: ".join(wrong))
