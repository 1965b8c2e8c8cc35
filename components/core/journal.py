"""What a stage run leaves to tell: a record on disk first, so that tracking never stops or slows the work itself."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.core.files import read_json, sha256, write_text
from components.core.lock import held, locked
from components.core.secrets import without_secrets

RUNS = Path(".winnow/runs")  # one folder per run, removed when MLflow has it
PARENT = "WINNOW_PIPELINE_RUN"  # environment: the pipeline run a stage run belongs to
RUNNING, FINISHED, FAILED, KILLED = "RUNNING", "FINISHED", "FAILED", "KILLED"


class Record:
    """One stage run: what `tracking` later writes to MLflow. Lives in `folder/record.json`, whole at any time."""

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self.folder = folder
        self.facts = facts

    def epoch(self, step: int, metrics: Mapping[str, float]) -> None:
        """Add the figures of one epoch."""
        self.facts["epochs"].append({"step": step, "time": now(), "metrics": {k: float(v) for k, v in metrics.items()}})
        self.save()

    def end(self, status: str, sentence: str = "") -> None:
        """Note how the run ended, and why where it did not end well."""
        if sentence:
            self.facts["tags"]["failure"] = without_secrets(sentence)
        self.facts.update(status=status, ended=now())
        self.save()

    def keep(self, artifacts: list[Path]) -> None:
        """Copy the stage's pages and pictures, so that a later run of the stage does not change what this one shows."""
        home = self.folder / "artifacts"
        home.mkdir(exist_ok=True)
        for path in artifacts:
            shutil.copyfile(path, home / path.name)

    def delivered(self) -> dict[str, Any]:
        """What MLflow already has of it: `run_id` and how many `epochs`; empty before the first delivery."""
        path = self.folder / "delivered.json"
        return read_json(path) if path.is_file() else {}

    def note_delivered(self, state: Mapping[str, Any]) -> None:
        """Remember what MLflow has; written by whoever delivers, never by the stage itself."""
        write_text(self.folder / "delivered.json", json.dumps(state, sort_keys=True) + "\n")

    def save(self) -> None:
        """Write the record whole."""
        write_text(self.folder / "record.json", json.dumps(self.facts, sort_keys=True, indent=2) + "\n")


@contextmanager
def recording(stage: str, *, key: str, params: Mapping[str, Any]) -> Iterator[Record]:
    """A new record, marked as living while the block runs; how the block ended stands in it afterwards."""
    started = now()
    folder = RUNS / f"{started}-{stage}-{os.getpid()}"
    facts = {
        "name": stage,
        "tags": {"stage": stage, "stage_key": key, **provenance()},
        "params": {name: without_secrets(value) for name, value in flatten(params)},
        "dataset": dataset(),
        "parent": os.environ.get(PARENT, ""),
        "started": started,
        "ended": None,
        "status": RUNNING,
        "epochs": [],
        "metrics": {},
        "joins": "",
    }
    record = Record(folder, facts)
    with locked(folder / "alive", wait=0, busy="process {pid} already writes this record."):
        record.save()
        _open.append(record)
        try:
            yield record
        except (KeyboardInterrupt, SystemExit):
            record.end(KILLED, "stopped from outside.")
            raise
        except BaseException as error:
            record.end(FAILED, str(error) or type(error).__name__)
            raise
        finally:
            _open.remove(record)
        record.end(FINISHED)


def join(page: str) -> None:
    """The running stage's artifact `page` is also to be its pipeline run's; where nothing is recorded, nothing is."""
    for record in _open[-1:]:
        record.facts["joins"] = page
        record.save()


_open: list[Record] = []


def records() -> list[Record]:
    """Every record not yet removed, oldest first; one whose process died without a word counts as killed."""
    found = []
    for path in sorted(RUNS.glob("*/record.json")):
        record = Record(path.parent, read_json(path))
        if record.facts["status"] == RUNNING and not held(path.parent / "alive"):
            record.end(KILLED, "its process died without a word.")
        found.append(record)
    return found


def provenance() -> dict[str, str]:
    """Tags that say what code and what graph this is: git commit, whether files differ from it, hash of dvc.lock."""
    commit = _git("rev-parse", "HEAD")
    tags = {}
    if commit:  # what the pipeline itself writes does not make the code another one
        changed = bool(_git("status", "--porcelain", "--", ".", ":!dvc.lock", ":!data"))
        tags = {"git_commit": commit, "git_dirty": str(changed).lower()}
    if Path("dvc.lock").is_file():
        tags["dvc_lock"] = sha256(Path("dvc.lock"))
    return tags


def dataset() -> str:
    """sha256 of the manifest, which is the data set's digest; empty before there is one."""
    manifest = Path("data/ingest/manifest.parquet")
    return sha256(manifest) if manifest.is_file() else ""


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as (dotted name, text) pairs, in order."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)


def _git(*arguments: str) -> str:
    if shutil.which("git") is None:
        return ""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def now() -> int:
    """Milliseconds since 1970, as MLflow counts."""
    return time.time_ns() // 1_000_000
