"""What DVC recorded beside what the stages used: what differs is taken out of DVC's memory.

DVC hashes a stage's inputs once the stage has ended and takes them for what it used. The stage runner compares before
that (`components/core/used.py`); what changes later, but before DVC looks, shows here, though it be changed back since.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from components.core.files import write_text
from components.core.integrity import LOCK_FILE
from components.core.used import HOME, Used, differing, saved
from pipelines.dvc import ask_dvc, stale


def forget_used() -> None:
    """Begin anew: what the stages of this run use is kept from here on."""
    shutil.rmtree(HOME, ignore_errors=True)


def drop_wrong_records() -> list[str]:
    """Take out of `dvc.lock` and of DVC's run cache each stage of this run that DVC recorded with other settings or
    inputs than it used; one sentence for each.
    """
    doubtful = [used for used in saved() if not used.untouched()]
    if not doubtful:
        return []
    lock, reasons, said = _lock(), stale(), []
    for used in doubtful:
        if names := _wrong(lock["stages"].get(used.stage, {}), used, reasons.get(used.stage, ())):
            _forget(lock, used.stage)
            told = f"{', '.join(names)} changed while DVC recorded {used.stage}"
            said.append(f"{told}, so {LOCK_FILE} no longer holds that: run it again.")
    return said


def _wrong(entry: dict[str, Any], used: Used, reasons: tuple[str, ...]) -> list[str]:
    """Names of what was recorded otherwise than it was used."""
    outputs = [known["path"] for known in entry.get("outs", [])]
    if any(f"{path} {how}" in reasons for path in outputs for how in ("changed", "missing")):
        return []  # the record of an earlier run: DVC was stopped before it wrote this one's
    return [*_settings(entry, used), *_files(entry, used), *_folders(entry, used, reasons)]


def _settings(entry: dict[str, Any], used: Used) -> Iterator[str]:
    recorded = entry.get("params", {}).get("params.yaml", used.params)
    yield from (f"{name} in params.yaml" for name in differing(_numbers(recorded), _numbers(used.params)))


def _numbers(value: Any) -> Any:
    """1e-5 is a number to DVC, which reads YAML 1.2, and text to YAML 1.1."""
    if isinstance(value, dict):
        return {name: _numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _files(entry: dict[str, Any], used: Used) -> Iterator[str]:
    for path, recorded in _recorded(entry).items():
        seen = used.seen.get(path)
        if seen and seen.md5 and seen.md5 != recorded:
            yield path


def _folders(entry: dict[str, Any], used: Used, reasons: tuple[str, ...]) -> Iterator[str]:
    """Where a folder is what the stage used, DVC must find it as recorded; where it is not, DVC must not."""
    for path in _recorded(entry):
        seen = used.seen.get(path)
        if seen and not seen.md5 and seen.same(Path(path)) == (f"{path} changed" in reasons):
            yield path


def _recorded(entry: dict[str, Any]) -> dict[str, str]:
    return {str(known["path"]): str(known.get("md5", "")) for known in entry.get("deps", [])}


def _forget(lock: dict[str, Any], stage: str) -> None:
    entry = lock["stages"].pop(stage)
    write_text(LOCK_FILE, yaml.safe_dump(lock, sort_keys=False))
    for path in (Path(ask_dvc("cache", "dir").strip()) / "runs").glob("*/*/*"):
        kept = yaml.safe_load(path.read_text(encoding="utf-8"))
        if all(kept.get(part) == entry.get(part) for part in ("cmd", "deps", "params")):
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()  # DVC takes the newest file in it, and none is an error


def _lock() -> dict[str, Any]:
    text = LOCK_FILE.read_text(encoding="utf-8") if LOCK_FILE.is_file() else ""
    return {"stages": {}, **(yaml.safe_load(text) or {})}
