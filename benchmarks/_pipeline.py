"""What benchmarks of learning share: the settings that ship with their changes, and the interval of a mean."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.core.config import read_params
from pipelines.inline import PROJECT, Params


def settings(**changes: Mapping[str, Any] | int) -> Params:
    """The settings that ship, with whole settings of some blocks replaced: `settings(seed=1, label={"budget": 10})`."""
    params = read_params(PROJECT / "params.yaml")
    for name, change in changes.items():
        params[name] = {**params[name], **change} if isinstance(change, Mapping) else change
    return params


def margin_of(values: Sequence[float]) -> float:
    """Half of Student's 95 % interval of their mean; 0 for a single one."""
    if len(values) == 1:
        return 0.0
    from scipy.stats import t

    return float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)
