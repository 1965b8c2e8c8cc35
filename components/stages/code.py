"""Which code each of the other stages stands on, so that a change makes stale what it can change, and nothing else."""

import json
from pathlib import Path
from typing import Any

from components.core.code import digests
from components.core.config import StageParams
from components.core.files import write_text


class Params(StageParams):
    """None of its own; the plug-ins that the other stages' settings choose count."""


def run(*, params: Params, settings: dict[str, Any], **outputs: Path) -> dict[str, float]:
    """Write, for the stage that each path is named by, the digests of its files as JSON; returns how many there are.

    settings: the other stages' choices of plug-ins.
    """
    found = {stage: digests(stage, settings) for stage in outputs}
    for stage, path in outputs.items():
        write_text(path, json.dumps(found[stage], indent=1, sort_keys=True) + "\n")
    return {"files": float(len({name for each in found.values() for name in each}))}
