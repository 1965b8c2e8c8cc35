"""What benchmarks of learning share: settings with their changes, kept figures, the interval of a mean."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

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
