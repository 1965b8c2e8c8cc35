"""What a valid setting is: frozen pydantic models, unknown keys forbidden, errors worded for people."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.core.errors import WinnowError
from components.core.secrets import without_secrets
from components.core.wording import wanted


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
    threads: int = Field(default=1, ge=1)


C = TypeVar("C", bound=BaseModel)
_MOST_SHOWN = 60  # characters of a wrong value
_MOST_LISTED = 30  # choices


def parse(config: type[C], values: Mapping[str, Any], *, where: str) -> C:
    """Check `values` against `config`; `where` is the block's dotted name in params.yaml, empty for the top level.

    Raises WinnowError naming the setting, what was wrong with it, and the nearest valid name for a typo.
    """
    try:
        return config.model_validate(dict(values))
    except ValidationError as error:
        raise WinnowError("; ".join(_sentence(config, item, where) for item in error.errors())) from None


def read_params(path: Path = Path("params.yaml")) -> dict[str, Any]:
    """Read the settings; raises WinnowError as `read_yaml` does, and for a password or a token in one of them."""
    values = read_yaml(path)
    for name, text in _texts(values):
        if without_secrets(text) != text:
            raise WinnowError(
                f"{name} in {path} holds a password or a token, which git, dvc.lock and MLflow would keep: take it "
                "out, and give it in the environment (docs/recovery.md says in which variable)."
            )
    return values


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a mapping with the safe loader.

    Raises WinnowError for a file that is missing, not UTF-8, not YAML or no mapping, for a key that stands twice (YAML
    would take the last without a word) and for an alias (they can grow without bound).
    """
    if not path.is_file():
        raise WinnowError(f"{path} is missing: run this from the project's folder, or restore the file from git.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise WinnowError(f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8.") from None
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise WinnowError(f"{path} uses a YAML alias (*name), which is not allowed: write the value out.")
        _refuse_twice(yaml.compose(text, yaml.SafeLoader), path)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise WinnowError(
            f"{path} is not valid YAML{_place(error)}: mend that line, or restore the file from git."
        ) from None
    if not isinstance(values, dict):
        raise WinnowError(f"{path} must hold `key: value` lines, one block per stage: restore the file from git.")
    return values


def nearest(word: str, choices: list[str]) -> str:
    """`did you mean 'x'?` where a choice is close to the word, else a list of the choices."""
    near = hint(word, choices)
    if near and len(choices) > _MOST_LISTED:
        return near.rstrip()
    return f"{near}Choose from {', '.join(sorted(choices))}."


def hint(word: str, choices: list[str]) -> str:
    """`did you mean 'x'? ` where a choice is close to the word, else nothing."""
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'? " if close else ""


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in nested settings, keys included, with the dotted name of where it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(str(key), name or "a block")
            yield from _texts(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)
    elif isinstance(value, str):
        yield name, value


def _refuse_twice(node: yaml.Node | None, path: Path) -> None:
    """Raise WinnowError for a mapping with the same key twice, at any depth."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    seen = set()
    for key, value in pairs:
        if key.value in seen:
            line = key.start_mark.line + 1
            raise WinnowError(f"{path}, line {line}: '{key.value}' stands here a second time: keep one of the two.")
        seen.add(key.value)
        _refuse_twice(value, path)


def _place(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return ""
    return f" in line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1} ({error.problem})"


def _sentence(config: type[BaseModel], item: Any, where: str) -> str:
    path = ".".join(filter(None, [where, *(str(part) for part in item["loc"])]))
    if item["type"] == "extra_forbidden":
        return f"unknown setting {path}: {nearest(str(item['loc'][-1]), _fields_at(config, item['loc'][:-1]))}"
    if item["type"] == "missing":
        return f"{path} is missing: add it to params.yaml."
    return f"{path} is {_shown(item['input'])}: it must be {wanted(item)}."


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _fields_at(config: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Field names of the (nested) config that `location` points into; keys of a mapping lead to what it holds."""
    for part in location:
        field = config.model_fields.get(str(part))
        if field is None:
            continue
        inside = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        config = next((kind for kind in inside if issubclass(kind, BaseModel)), config)
    return list(config.model_fields)
