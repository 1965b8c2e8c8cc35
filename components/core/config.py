"""What a valid setting is: frozen pydantic models, unknown keys forbidden, errors worded for people."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from components.core.errors import WinnowError


class Config(BaseModel):
    """A block of settings. Frozen, unknown keys forbidden, defaults checked like anything else."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


class PluginChoice(BaseModel):
    """A plug-in by its file name, with that plug-in's own options beside the name."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str

    @property
    def options(self) -> dict[str, Any]:
        """What stands beside the name; checked by the plug-in's own `Config`."""
        return dict(self.model_extra or {})


class StageParams(Config):
    """What every stage is told besides its own block: the top-level settings."""

    seed: int = 0
    threads: int = 1


C = TypeVar("C", bound=BaseModel)


def parse(config: type[C], values: Mapping[str, Any], *, where: str) -> C:
    """Check `values` against `config`; `where` is the block's dotted name in params.yaml.

    Raises WinnowError naming the setting, what was wrong with it, and the nearest valid name for a typo.
    """
    try:
        return config.model_validate(dict(values))
    except ValidationError as error:
        raise WinnowError("; ".join(_sentence(config, item, where) for item in error.errors())) from None


def read_params(path: Path = Path("params.yaml")) -> dict[str, Any]:
    """Read the settings file with the safe loader; YAML aliases are refused (they can grow without bound)."""
    if not path.is_file():
        raise WinnowError(f"{path} is missing: run this from the project's folder, or restore the file from git.")
    text = path.read_text(encoding="utf-8")
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise WinnowError(f"{path} uses a YAML alias (*name), which is not allowed: write the value out.")
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise WinnowError(f"{path} is not valid YAML: {problem}.") from None
    if not isinstance(values, dict):
        raise WinnowError(f"{path} must hold `key: value` settings, one block per stage.")
    return values


def nearest(word: str, choices: list[str]) -> str:
    """`; did you mean 'x'?` where a choice is close to the word, else a list of the choices."""
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return f"{hint}Choose from {', '.join(sorted(choices))}."


def _sentence(config: type[BaseModel], item: Any, where: str) -> str:
    path = ".".join([where, *(str(part) for part in item["loc"])])
    if item["type"] == "extra_forbidden":
        return f"unknown setting {path}: {nearest(str(item['loc'][-1]), _fields_at(config, item['loc'][:-1]))}"
    if item["type"] == "missing":
        return f"{path} is missing: add it to params.yaml."
    message = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{path} is {item['input']!r}: {message[0].lower()}{message[1:]}."


def _fields_at(config: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Field names of the (nested) config that `location` points into; keys of a mapping lead to what it holds."""
    for part in location:
        field = config.model_fields.get(str(part))
        if field is None:
            continue
        inside = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        config = next((kind for kind in inside if issubclass(kind, BaseModel)), config)
    return list(config.model_fields)
