"""What benchmarks share: settings with their changes, copies of the project, kept figures, the interval of a mean."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from components.core.config import read_params
from components.core.stage_settings import applicable
from pipelines.inline import PROJECT, Params


def settings(**changes: Mapping[str, Any] | int) -> Params:
    """The settings that ship, with whole settings of some blocks replaced: `settings(seed=1, label={"budget": 10})`.

    What ships and does nothing beside the changes is left out.
    """
    params = read_params(PROJECT / "params.yaml")
    for name, change in changes.items():
        params[name] = {**params[name], **change} if isinstance(change, Mapping) else change
    return applicable(params)


def project_copy(place: Path, **changes: Mapping[str, Any] | int) -> Path:
    """A fresh copy of the project's files with its settings changed as `settings` takes them, ready for DVC."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, place / name)
    (place / "params.yaml").write_text(yaml.safe_dump(settings(**changes), sort_keys=False))
    prepare = [sys.executable, "-c", "from pipelines.dvc import prepare_workspace; prepare_workspace()"]
    subprocess.run(prepare, cwd=place, env={**os.environ, "PYTHONPATH": str(place)}, check=True)
    return place


def processes(root: int) -> dict[int, str]:
    """Command lines by process number: of `root` and all that it started, directly or not."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: line for pid in sorted(found) if (line := command_line(pid))}


def command_line(pid: int) -> str:
    """Empty where there is no such process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def keep(path: Path, keys: Sequence[str | int], figures: Mapping[str, Any]) -> None:
    """Put the figures into the JSON at `path`, under one key within the other; what else it holds stays."""
    kept: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    place = kept
    for key in keys[:-1]:
        place = place.setdefault(str(key), {})
    place[str(keys[-1])] = dict(figures)
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def margin_of(values: Sequence[float]) -> float:
    """Half of Student's 95 % interval of their mean; 0 for a single one."""
    if len(values) == 1:
        return 0.0
    from scipy.stats import t

    return float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)


def mean_and_interval(values: Sequence[float]) -> str:
    """For a table: the mean of accuracies, and in brackets its interval, cut at 0 and 1, where there are several."""
    mean = float(np.mean(values))
    if len(values) == 1:
        return f"{mean:.3f}"
    margin = margin_of(values)
    return f"{mean:.3f} ({max(mean - margin, 0):.3f} to {min(mean + margin, 1):.3f})"
