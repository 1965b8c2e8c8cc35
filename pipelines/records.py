"""What DVC recorded beside what the stages used: a change in the moment between the two is taken out of DVC's memory.

DVC hashes a stage's inputs once the stage has ended and takes them for what it used. The stage runner compares before
that (`components/core/used.py`); what changes later, but before DVC looks, shows here.
"""

import shutil
from pathlib import Path
from typing import Any

import yaml

from components.core.files import write_text
from components.core.integrity import LOCK_FILE
from components.core.used import HOME, saved
from pipelines.dvc import ask_dvc, stale


def forget_used() -> None:
    """Begin anew: what the stages of this run use is kept from here on."""
    shutil.rmtree(HOME, ignore_errors=True)


def drop_wrong_records() -> list[str]:
    """Take out of `dvc.lock` and of DVC's run cache each stage of this run that DVC holds for up to date although
    something it used has changed; one sentence for each.
    """
    changed = {used.stage: names for used in saved() if (names := used.changes())}
    wrong = {stage: names for stage, names in changed.items() if stage not in stale()} if changed else {}
    for stage in wrong:
        _forget(stage)
    return [
        f"{', '.join(names)} changed while DVC recorded {stage}, so {LOCK_FILE} no longer holds that: run it again."
        for stage, names in wrong.items()
    ]


def _forget(stage: str) -> None:
    lock: dict[str, Any] = yaml.safe_load(LOCK_FILE.read_text(encoding="utf-8"))
    entry = lock["stages"].pop(stage)
    write_text(LOCK_FILE, yaml.safe_dump(lock, sort_keys=False))
    for path in (Path(ask_dvc("cache", "dir").strip()) / "runs").glob("*/*/*"):
        kept = yaml.safe_load(path.read_text(encoding="utf-8"))
        if all(kept.get(part) == entry.get(part) for part in ("cmd", "deps", "params")):
            path.unlink()
