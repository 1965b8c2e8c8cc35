"""One run of the pipeline: settings checked, DVC at work, every stage tracked under one run, what came out printed."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.core import journal, pipeline_run, tracking
from components.core.config import read_params
from components.core.dag import StageSpec, read_stages
from components.core.errors import WinnowError
from components.core.integrity import recorded_outputs
from components.core.lock import held, locked
from components.core.model_versions import versions
from components.core.signals import stoppable
from pipelines.dvc import prepare_workspace, run_dvc
from pipelines.preflight import concerns
from pipelines.summary import summarize
from pipelines.watch import note_source

LOCK = Path(".winnow/repro.lock")
WAIT = 3600.0  # seconds for another run in the same folder
BUSY = "another run (process {pid}) has been at work in this folder for an hour: stop it, or wait for it."


def reproduce(*, force: bool = False, start: str | None = None) -> int:
    """Run what is stale (all with `force`; `start` and all after it), and print the summary; returns the exit code."""
    if held(LOCK):
        print("winnow: another run is at work in this folder; waiting for it to end.", file=sys.stderr)
    with stoppable(), locked(LOCK, wait=WAIT, busy=BUSY):
        began = time.monotonic()
        if not _ready():
            return 1
        if not _tracked_run(_commands(force, start)):
            return 1
        print(f"\n{summarize(time.monotonic() - began)}")
    return 0


def _ready() -> bool:
    """Check all settings, in a process of its own that loads what every stage loads; meanwhile look around, prepare."""
    params = read_params()
    recorded_outputs()  # a lock file that cannot be read is refused in a sentence, before anything runs
    check = subprocess.Popen([sys.executable, "-m", "pipelines.settings"])
    found = concerns(params)
    for concern in found:
        print(f"winnow: {concern.text}", file=sys.stderr)
    if any(concern.stops for concern in found):
        check.wait()
        return False
    prepare_workspace()
    note_source(params)
    tracking.opened()
    return check.wait() == 0


def _commands(force: bool, start: str | None) -> list[list[str]]:
    if start is None:
        return [["repro", *(["--force"] if force else [])]]
    stages = read_stages(read_params())
    if start not in stages:
        raise WinnowError(f"unknown stage '{start}': choose from {', '.join(stages)}.")
    before = _makers(stages, start)
    return [*([["repro", *before]] if before else []), ["repro", "--force", "--downstream", start], ["repro"]]


def _makers(stages: dict[str, StageSpec], name: str) -> list[str]:
    """The stages that make what `name` reads."""
    wanted = set(stages[name].dependencies)
    return [other for other, spec in stages.items() if wanted & set(spec.outputs)]


def _tracked_run(commands: list[list[str]]) -> bool:
    """Run DVC under one pipeline run; whether all went well."""
    run_id = pipeline_run.begin()
    status = journal.FAILED
    try:
        with _delivering():
            if all(run_dvc(command, {journal.PARENT: run_id}) == 0 for command in commands):
                status = _registered(run_id)
    except KeyboardInterrupt:
        status = journal.KILLED
        raise
    finally:
        pipeline_run.end(run_id, status=status)
    return status == journal.FINISHED


def _registered(run_id: str) -> str:
    """See that the registry holds the model of `version.json`, which DVC may have restored from its cache alone."""
    path = Path("data/register/version.json")
    facts = json.loads(path.read_text(encoding="utf-8"))
    known = {(item.number, item.sha256) for item in versions(facts["name"])}
    if (facts["version"], facts["model_sha256"]) in known:
        return journal.FINISHED
    print("register: the registry does not hold this model; registering it")
    done = run_dvc(["repro", "--force", "--single-item", "register"], {journal.PARENT: run_id})
    return journal.FINISHED if done == 0 else journal.FAILED


@contextmanager
def _delivering(every: float = 2.0) -> Iterator[None]:
    """While the stages run, bring what they record to MLflow; they themselves never wait for it."""
    over = threading.Event()
    deliverer = threading.Thread(target=_deliver_until, args=(over, every), daemon=True)
    deliverer.start()
    try:
        yield
    finally:
        over.set()
        deliverer.join()


def _deliver_until(over: threading.Event, every: float) -> None:
    """Deliver now and then; after a refusal no more: what waits is delivered at the end, or by the next run."""
    while not over.wait(every):
        try:
            tracking.deliver()
        except WinnowError as error:
            print(f"winnow: {error}", file=sys.stderr)
            return
