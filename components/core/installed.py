"""What a run stands on beside code and data: Python, the system, the processor, every installed package."""

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.core.files import sha256

LOCKED = Path("requirements.lock")


def installed() -> dict[str, Any]:
    """JSON: `python`, `system`, `processor`, `requirements_lock` (sha256, empty: none) and `packages` by name."""
    found = {one.metadata["Name"]: one.version for one in importlib.metadata.distributions() if one.metadata["Name"]}
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "requirements_lock": sha256(LOCKED) if LOCKED.is_file() else "",
        "packages": {name.lower(): found[name] for name in sorted(found, key=str.lower)},
    }


def beside(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What differs of two environments as (name, then, now), `none` where one lacks it; packages by their name."""
    before, after = dict(_flat(then)), dict(_flat(now))
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return [(name, before.get(name, "none"), after.get(name, "none")) for name in names]


def _flat(environment: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((name, str(value)) for name, value in environment.items() if name != "packages")
    yield from environment.get("packages", {}).items()


def _processor() -> str:
    """The model as the system names it: other processors round otherwise."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8", errors="replace").splitlines() if told.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
