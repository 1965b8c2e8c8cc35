"""A stage's settings out of params.yaml: its own block, and the top-level ones that every stage is told."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from components.core.config import StageParams, parse, shown, validated
from components.core.errors import WinnowError
from components.core.unused import unused


def top_settings(params: Mapping[str, Any]) -> StageParams:
    """What every stage is told. Raises WinnowError as `parse` does."""
    return parse(StageParams, _top(params), where="")


def stage_settings(name: str, params: Mapping[str, Any]) -> Any:
    """The stage's `Params`. Raises WinnowError as `parse` does, and for a top-level setting in the stage's block."""
    return parse(_config(name), {**_own(name, params), **_top(params)}, where=name)


def applicable(params: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without those that do nothing beside the others: for programs that exchange a method and keep the rest.

    Options of plug-ins stay. Raises WinnowError as `stage_settings` does, but for settings that do nothing.
    """
    return {
        name: _kept(block, _unused(name, params), name) if isinstance(block, dict) and _is_stage(name) else block
        for name, block in params.items()
    }


def _top(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: params[name] for name in StageParams.model_fields if name in params}


def _own(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    block = params.get(name) or {}
    if not isinstance(block, dict):
        raise WinnowError(f"{name} in params.yaml must be a block of settings, not {block!r}.")
    for setting in StageParams.model_fields:
        if setting in block:
            raise WinnowError(
                f"{name}.{setting} is for all stages, not for one: write {setting}: {shown(block[setting])} at the top "
                "level of params.yaml."
            )
    return block


def _config(name: str) -> type[StageParams]:
    config: type[StageParams] = import_module(f"components.stages.{name}").Params
    return config


def _is_stage(name: str) -> bool:
    return find_spec(f"components.stages.{name}") is not None


def _unused(name: str, params: Mapping[str, Any]) -> set[str]:
    return set(unused(validated(_config(name), {**_own(name, params), **_top(params)}, where=name), name))


def _kept(block: dict[str, Any], out: set[str], where: str) -> dict[str, Any]:
    """The block, named `where`, without the dotted names in `out`."""
    named = {name: f"{where}.{name}" for name in block if f"{where}.{name}" not in out}
    return {
        name: _kept(block[name], out, place) if isinstance(block[name], dict) else block[name]
        for name, place in named.items()
    }
