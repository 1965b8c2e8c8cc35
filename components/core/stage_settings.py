"""A stage's settings out of params.yaml: its own block, and the top-level ones that every stage is told."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from components.core.config import StageParams, block, parse, shown, validated
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
        name: _kept(own, _unused(name, params), name) if isinstance(own, dict) and _is_stage(name) else own
        for name, own in params.items()
    }


def _top(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: params[name] for name in StageParams.model_fields if name in params}


def _own(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    own = block(params, name)
    for setting in StageParams.model_fields:
        if setting in own:
            raise WinnowError(
                f"{name}.{setting} is for all stages, not for one: write {setting}: {shown(own[setting])} at the top "
                "level of params.yaml."
            )
    return own


def _config(name: str) -> type[StageParams]:
    config: type[StageParams] = import_module(f"components.stages.{name}").Params
    return config


def _is_stage(name: str) -> bool:
    return find_spec(f"components.stages.{name}") is not None


def _unused(name: str, params: Mapping[str, Any]) -> set[str]:
    return set(unused(validated(_config(name), {**_own(name, params), **_top(params)}, where=name), name))


def _kept(own: dict[str, Any], out: set[str], where: str) -> dict[str, Any]:
    """The block, named `where`, without the dotted names in `out`."""
    named = {name: f"{where}.{name}" for name in own if f"{where}.{name}" not in out}
    return {
        name: _kept(own[name], out, place) if isinstance(own[name], dict) else own[name]
        for name, place in named.items()
    }
