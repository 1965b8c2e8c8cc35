"""The settings that ship, with those changes that a benchmark of learning makes."""

from collections.abc import Mapping
from typing import Any

from components.core.config import read_params
from pipelines.inline import PROJECT, Params


def settings(**changes: Mapping[str, Any] | int) -> Params:
    """The settings that ship, with whole settings of some blocks replaced: `settings(seed=1, label={"budget": 10})`."""
    params = read_params(PROJECT / "params.yaml")
    for name, change in changes.items():
        params[name] = {**params[name], **change} if isinstance(change, Mapping) else change
    return params
