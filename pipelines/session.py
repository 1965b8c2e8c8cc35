"""A run of the pipeline from begin to end: alone in its folder, settings checked, tracked under one MLflow run."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from components.core import journal, pipeline_run, tracking
from components.core.config import read_params
from components.core.decisions import decisions
from components.core.errors import WinnowError
from components.core.files import read_json
from components.core.integrity import recorded_outputs
from components.core.lock import held, locked
from components.core.model_versions import versions
from components.core.plugins import check_chosen
from components.core.scratch import abandoned
from components.core.signals import stoppable
from pipelines.dvc import Stale, at_work, busy, drop_half_written, mend_lock_file, prepare_workspace, stale
from pipelines.preflight import concerns
from pipelines.records import drop_wrong_records, forget_used
from pipelines.watch import note_source, note_weights
from pipelines.weights import fetch_weights

LOCK = Path(".winnow/repro.lock")
WAIT = 3600.0  # seconds for another run in the same folder
BUSY = "another run (process {pid}) has been at work in this folder for an hour: stop it, or wait for it."
VERSION = Path("data/register/version.json")


@contextmanager
def alone(*, with_prefect: bool = False) -> Iterator[Stale]:
    """Wait until no other run is at work in this folder, and make it ready for ours; yields what DVC finds stale.

    Raises WinnowError for another run that does not end, for settings that cannot be, and for what would stop the run.
    """
    if held(LOCK):
        print("winnow: another run is at work in this folder; waiting for it to end.", file=sys.stderr)
    with stoppable(), locked(LOCK, wait=WAIT, busy=BUSY):
        _wait_for_dvc()
        drop_half_written()
        _look_around(with_prefect)
        ready = _make_ready()
        forget_used()
        try:
            yield ready
        finally:
            _tidy()
            wrong = drop_wrong_records()
        if wrong:
            raise WinnowError("\nwinnow: ".join(wrong))


@contextmanager
def tracked() -> Iterator[Mapping[str, str]]:
    """One pipeline run in MLflow; yields the environment that lets stages join it. How the block ended is recorded."""
    pipeline_run.close_abandoned()
    run_id = pipeline_run.begin()
    status = journal.FAILED
    try:
        with _delivering():
            yield {journal.PARENT: run_id}
        status = journal.FINISHED
    except KeyboardInterrupt:
        status = journal.KILLED
        raise
    finally:
        pipeline_run.end(run_id, status=status)


def registered() -> bool:
    """Whether the registry says what `version.json` does, which DVC may have restored from its cache alone: holds the
    model, under the same aliases, with the same decisions about it.
    """
    facts = read_json(VERSION)
    found = next((one for one in versions(facts["name"]) if one.number == facts["version"]), None)
    if found is None or found.sha256 != facts["model_sha256"]:
        return False
    told = [one["at"] for one in facts.get("decisions", []) if one["version"] == found.number]
    said = [one.at for one in decisions(found.tags)]
    return sorted(found.aliases) == sorted(facts["aliases"]) and told == said[-max(1, len(told)) :]


def _tidy() -> None:
    """Remove what a stage or DVC left that was killed."""
    mend_lock_file()
    for folder in abandoned():
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_dvc() -> None:
    """Plain `dvc` commands do not know our lock: wait for those at work here."""
    said, deadline = False, time.monotonic() + WAIT
    while (holder := busy()) is not None:
        if not said:
            print(f"winnow: dvc (process {holder}) is at work in this folder; waiting for it to end.", file=sys.stderr)
        if time.monotonic() > deadline:
            raise WinnowError(BUSY.format(pid=holder))
        said = True
        while at_work(holder) and time.monotonic() < deadline:
            time.sleep(1)


def _look_around(with_prefect: bool) -> None:
    recorded_outputs()  # a lock file that cannot be read is refused in a sentence, before anything runs
    found = concerns(read_params(), with_prefect=with_prefect)
    for concern in found:
        if not concern.stops:
            print(f"winnow: {concern.text}", file=sys.stderr)
    if stopping := [concern.text for concern in found if concern.stops]:
        raise WinnowError("\nwinnow: ".join(stopping))


def _make_ready() -> Stale:
    """Check all settings, in a process of its own that loads what every stage loads, and prepare meanwhile.

    Where nothing is stale, every setting is one that a stage has run with: the check is not waited for.
    """
    check_chosen(read_params())
    fetch_weights(read_params())
    command = [sys.executable, "-m", "pipelines.settings"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as check:
        try:
            prepare_workspace()
            note_source(read_params())
            note_weights(read_params())
            tracking.opened()
            found = stale()
        except Exception:
            _hear(check)  # whoever reads the settings too says less of what is wrong with them
            raise
        if not found:
            check.kill()
            return found
        _hear(check)
    return found


def _hear(check: "subprocess.Popen[str]") -> None:
    _, said = check.communicate()
    if check.returncode != 0:
        raise WinnowError(said.strip().removeprefix("winnow: "))


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
