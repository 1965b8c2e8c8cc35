"""What a valid setting is: frozen pydantic models, unknown keys forbidden, errors worded for people."""

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from components.core import plain_yaml
from components.core.errors import WinnowError
from components.core.secrets import without_secrets
from components.core.unused import refuse_unused, unused
from components.core.wording import wanted


class Config(BaseModel):
    """A block of settings. Frozen, unknown keys forbidden, defaults checked like anything else."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)
    moved: ClassVar[dict[str, str]] = {}  # settings that once were here, each with its dotted name of today

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, values: Any) -> Any:
        """No number out of true, false or `1_000`, which pydantic takes for one; `~` in a path is the home folder."""
        if not isinstance(values, dict):
            return values
        kinds = {name: _kinds(field.annotation) for name, field in cls.model_fields.items()}
        return {name: _as_meant(value, kinds.get(name, frozenset())) for name, value in values.items()}

    def unused(self) -> dict[str, str]:
        """Names of settings that do nothing beside the others, and why (what completes "is not used, since ...")."""
        return {}


class PluginChoice(BaseModel):
    """A plug-in by its file name, with that plug-in's own options beside the name."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str

    @property
    def options(self) -> dict[str, Any]:
        """What stands beside the name; checked by the plug-in's own `Config`."""
        return dict(self.model_extra or {})

    def differing(self, other: "PluginChoice") -> str:
        """What it says that the other says otherwise, `name value` each; nothing where they are the same."""
        own, theirs = self.model_dump(), other.model_dump()
        return ", ".join(
            f"{name} {shown(own.get(name))}" for name in {**own, **theirs} if own.get(name) != theirs.get(name)
        )


class StageParams(Config):
    """What every stage is told besides its own block: the top-level settings."""

    seed: int = Field(default=0, ge=0, lt=2**63)
    threads: int = Field(default=1, ge=1)


C = TypeVar("C", bound=BaseModel)
LARGEST = 2**20  # bytes of a file of settings
_MOST_SHOWN = 60  # characters of a wrong value
_MOST_LISTED = 30  # choices


def parse(config: type[C], values: Mapping[str, Any], *, where: str) -> C:
    """Check `values` against `config`; `where` is the block's dotted name in params.yaml, empty for the top level.

    Raises WinnowError as `validated` does, and for settings that do nothing beside the others.
    """
    settings = validated(config, values, where=where)
    refuse_unused(unused(settings, where))
    return settings


def validated(config: type[C], values: Mapping[str, Any], *, where: str) -> C:
    """As `parse`, but settings may be there that do nothing: for files that name every setting.

    Raises WinnowError naming the setting, what was wrong with it, and the nearest valid name for a typo.
    """
    try:
        return config.model_validate(dict(values))
    except ValidationError as error:
        raise WinnowError(_said(config, error.errors(), where)) from None


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


def block(params: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The settings of one block of params.yaml, none where it is empty. Raises WinnowError for anything but a block."""
    found = params.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise WinnowError(f"{name} in params.yaml must be a block of settings, not {shown(found)}.")
    return found


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a mapping of plain values.

    Raises WinnowError for a file that is missing, cannot be opened, is too large, not UTF-8, not YAML or no mapping,
    and for what `plain_yaml.load` refuses.
    """
    if not path.exists():
        raise WinnowError(f"{path} is missing: run this from the project's folder, or restore the file from git.")
    if not path.is_file():
        raise WinnowError(f"{path} is no file: move what is there away, and restore the file from git.")
    if path.stat().st_size > LARGEST:
        raise WinnowError(f"{path} is larger than {LARGEST >> 20} MB: that is no settings file; restore it from git.")
    try:
        values = plain_yaml.load(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise WinnowError(f"{path} cannot be read ({error.strerror}): `chmod u+r {path}`.") from None
    except UnicodeDecodeError as error:
        raise WinnowError(f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8.") from None
    except yaml.YAMLError as error:
        raise WinnowError(
            f"{path} is not valid YAML{_place(error)}: mend that line, or restore the file from git."
        ) from None
    if not isinstance(values, dict):
        raise WinnowError(f"{path} must hold `key: value` lines, one block per stage: restore the file from git.")
    return values


def expanded(path: str) -> str:
    """The path with `~` and `~user` at its beginning replaced by that home folder, where there is one."""
    return os.path.expanduser(path)  # noqa: PTH111 - Path's raises where there is none


def did_you_mean(word: str, choices: list[str]) -> str:
    """`did you mean 'x'?` where a choice is close to the word, else a list of the choices."""
    near = hint(word, choices)
    if near and len(choices) > _MOST_LISTED:
        return near.rstrip()
    return f"{near}Choose from {', '.join(sorted(choices))}."


def hint(word: str, choices: list[str]) -> str:
    """`did you mean 'x'? ` where a choice is close to the word, else nothing."""
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'? " if close else ""


def shown(value: Any) -> str:
    """A wrong value as a sentence has it: cut where it is long."""
    if value is None:
        return "empty"
    try:
        text = repr(value)
    except ValueError:  # Python writes out no number of more than 4,300 digits
        text = "a number of thousands of digits"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


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


class _Wrong:
    """Stands in for a value that pydantic would bend into a number; shown as it was written."""

    def __init__(self, value: bool | str) -> None:
        self._text = str(value).lower() if isinstance(value, bool) else repr(value)

    def __repr__(self) -> str:
        return self._text


def _kinds(annotation: Any) -> frozenset[Any]:
    """Every type that an annotation is made of."""
    inside = [_kinds(part) for part in get_args(annotation)]
    return frozenset({annotation} if isinstance(annotation, type) else ()).union(*inside)


def _as_meant(value: Any, kinds: frozenset[Any]) -> Any:
    if isinstance(value, str) and value.startswith("~") and kinds & {str, Path}:
        return expanded(value)
    if not kinds & {int, float} or kinds & {str, bool}:
        return value
    if isinstance(value, list | tuple):
        return [_as_meant(item, kinds) for item in value]
    if isinstance(value, dict):
        return {name: _as_meant(item, kinds) for name, item in value.items()}
    return _Wrong(value) if isinstance(value, bool) or (isinstance(value, str) and "_" in value) else value


def _place(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return ""
    return f" in line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1} ({error.problem})"


def _said(config: type[BaseModel], errors: list[Any], where: str) -> str:
    """One sentence on all that is wrong; settings that belong into a block inside are told together."""
    strays: dict[tuple[str, str, str], dict[str, Any]] = {}
    sentences = []
    for item in errors:
        *outer, name = item["loc"] or [""]
        home = _config_at(config, tuple(outer))
        if item["type"] == "extra_forbidden" and (inner := _block_with(home, str(name))):
            place = (_dotted([where, *outer]), inner, _plugin(home, inner))
            strays.setdefault(place, {})[str(name)] = item["input"]
        else:
            sentences.append(_sentence(home, item, _dotted([where, *outer, name])))
    text = "; ".join([*sentences, *(_moved(*place, given) for place, given in strays.items())])
    return text if text.endswith("?") else f"{text}."


def _moved(block: str, inner: str, plugin: str, given: dict[str, Any]) -> str:
    names = " and ".join(_dotted([block, name]) for name in given)
    content = plugin + ", ".join(f"{name}: {shown(value)}" for name, value in given.items())
    return f"{names} must stand in {_dotted([block, inner])}: write {inner}: {{{content}}}"


def _sentence(home: type[BaseModel], item: Any, path: str) -> str:
    if item["type"] == "extra_forbidden" and (now := getattr(home, "moved", {}).get(str(item["loc"][-1]))):
        block, _, last = now.rpartition(".")
        return f"{path} is {now} now: take it out here, and write {block}: {{{last}: {shown(item['input'])}}}"
    if item["type"] == "extra_forbidden":
        top = StageParams.model_fields if issubclass(home, StageParams) and home is not StageParams else {}
        choices = [name for name in home.model_fields if name not in top]  # these no stage has in its own block
        known = did_you_mean(str(item["loc"][-1]), choices).rstrip(".") if choices else "there is nothing to set here"
        return f"unknown setting {path}: {known}"
    if item["type"] == "missing":
        return f"{path} is missing: add it to params.yaml"
    return f"{path} is {shown(item['input'])}: it must be {wanted(item)}"


def _dotted(parts: Iterable[Any]) -> str:
    return ".".join(str(part) for part in parts if part != "")


def _config_at(config: type[BaseModel], location: tuple[Any, ...]) -> type[BaseModel]:
    """The (nested) config that `location` points into; keys of a mapping lead to what it holds."""
    for part in location:
        field = config.model_fields.get(str(part))
        if field is not None:
            config = next(iter(_blocks_of(field.annotation)), config)
    return config


def _block_with(config: type[BaseModel], name: str) -> str | None:
    """The setting of `config` that is a block in which there is a setting of this name."""
    inner = getattr(config, "moved", {}).get(name, "").split(".")[-2:-1]
    if inner and inner[0] in config.model_fields:
        return str(inner[0])
    for own, field in config.model_fields.items():
        blocks = [] if get_origin(field.annotation) is dict else _blocks_of(field.annotation)
        if any(name in block.model_fields for block in blocks if block is not PluginChoice):
            return own
    return None


def _plugin(config: type[BaseModel], name: str) -> str:
    """How the block of a plug-in begins, where the setting is one."""
    usual = config.model_fields[name].default
    return f"name: {usual.name}, " if isinstance(usual, PluginChoice) else ""


def _blocks_of(annotation: Any) -> list[type[BaseModel]]:
    return [kind for kind in _kinds(annotation) if issubclass(kind, BaseModel)]
