"""What `dvc.yaml` says of a stage: command, settings, inputs, outputs. DVC owns the graph; this only reads it."""

import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.config import StageParams, read_yaml
from components.core.errors import WinnowError
from components.core.files import sha256

RESTORE = "restore the file from git."
CODE = Path("data/code")  # what each stage's code is, see `core/code.py`


@dataclass(frozen=True)
class StageSpec:
    """One stage of `dvc.yaml`. Paths are relative to the project."""

    name: str
    command: str
    settings: tuple[str, ...]
    dependencies: tuple[Path, ...]
    outputs: tuple[Path, ...]
    persistent: tuple[Path, ...] = ()  # outputs that the stage goes on from

    @property
    def inputs(self) -> dict[str, Path]:
        """Data this stage reads, by argument name (see `by_argument`)."""
        return by_argument([path for path in self.data if path.parent != CODE])

    @property
    def data(self) -> tuple[Path, ...]:
        """The dependencies that are data, sidecars included."""
        return tuple(path for path in self.dependencies if path.parts[0] == "data")

    @property
    def code(self) -> tuple[Path, ...]:
        """The dependencies that are code."""
        return tuple(path for path in self.dependencies if path.parts[0] != "data")

    def key(self, params: dict[str, Any], root: Path, digest: Callable[[Path], str] = sha256) -> str:
        """sha256 of the command, every dependency's content and the settings: the same work has the same key."""
        digests = {path.as_posix(): digest(root / path) for path in self.dependencies}
        return key_of(self.command, digests, self.chosen(params))

    def chosen(self, params: dict[str, Any]) -> dict[str, Any]:
        """The settings that the stage depends on, by name."""
        return {name: _value(params, name) for name in self.settings}

    def told(self, params: dict[str, Any]) -> dict[str, Any]:
        """What a stage is told of other stages' settings, the argument `settings`: those it lists with dots, nested.

        Nothing for a stage that lists none.
        """
        nested: dict[str, Any] = {}
        for name in self.settings:
            *outer, last = name.split(".")
            if outer:
                inner = functools.reduce(lambda block, part: block.setdefault(part, {}), outer, nested)
                inner[last] = _value(params, name)
        return {"settings": nested} if nested else {}


def key_of(command: str, digests: dict[str, str], params: dict[str, Any]) -> str:
    """A stage's key from its command, its dependencies' sha256 by path and its settings."""
    facts = {"command": command, "dependencies": digests, "params": params}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def by_argument(paths: list[Path]) -> dict[str, Path]:
    """Paths by the argument a stage's `run` takes them as: the file's stem; a second file of that stem is a sidecar.

    `data/pretrain/encoder.safetensors` and `encoder.json` are one argument, `encoder`: the first path listed.
    """
    arguments: dict[str, Path] = {}
    for path in paths:
        arguments.setdefault(path.stem, path)
    return arguments


def read_stages(root: Path = Path()) -> dict[str, StageSpec]:
    """All stages of `root/dvc.yaml` in the order they stand there."""
    return {name: _stage(name, block) for name, block in _blocks(root).items()}


def stage_names(root: Path = Path()) -> list[str]:
    """Names of all stages of `root/dvc.yaml`."""
    return list(_blocks(root))


def check_named(params: dict[str, Any], root: Path = Path()) -> None:
    """Raise WinnowError for a setting that `root/dvc.yaml` names and that is not there; a block may be empty."""
    for spec in read_stages(root).values():
        for name in spec.settings:
            if name not in params and _value(params, name) is None:
                raise WinnowError(_lacking(name, params))


def _blocks(root: Path) -> dict[str, Any]:
    path = root / "dvc.yaml"
    blocks = read_yaml(path).get("stages")
    if not isinstance(blocks, dict) or not all(isinstance(block, dict) and "cmd" in block for block in blocks.values()):
        raise WinnowError(f"{path} does not hold stages with a command each: {RESTORE}")
    return blocks


def _stage(name: str, block: dict[str, Any]) -> StageSpec:
    def listed(*keys: str) -> list[str]:
        entries = [entry for key in keys for entry in block.get(key, [])]
        plain = [next(iter(entry), None) if isinstance(entry, dict) else entry for entry in entries]
        names = [text for text in plain if isinstance(text, str) and text]
        if len(names) < len(plain):
            raise TypeError
        return names

    def paths(*keys: str) -> tuple[Path, ...]:
        return tuple(Path(text) for text in listed(*keys))

    try:
        return StageSpec(
            name=name,
            command=str(block["cmd"]),
            settings=tuple(listed("params")),
            dependencies=paths("deps"),
            outputs=paths("outs", "metrics", "plots"),
            persistent=tuple(Path(name) for name in _persistent(block)),
        )
    except TypeError:
        raise WinnowError(f"dvc.yaml's stage {name} lists something else than names: {RESTORE}") from None


def _persistent(block: dict[str, Any]) -> Iterator[str]:
    for entry in block.get("outs", []):
        if isinstance(entry, dict):
            yield from (name for name, options in entry.items() if isinstance(options, dict) and options.get("persist"))


def _value(params: dict[str, Any], name: str) -> Any:
    """What a dotted name stands for; None where nothing does."""
    found: Any = params
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _lacking(name: str, params: dict[str, Any]) -> str:
    """A sentence for a setting that is not there."""
    block, _, last = name.rpartition(".")
    found = _value(params, block)
    if last == "name" and isinstance(found, str):
        return f"{block} is {found!r}: write {block.rpartition('.')[2]}: {{name: {found}}}."
    add = "add it" if block or name in StageParams.model_fields else f"write {name}: {{}} for its usual settings"
    return f"params.yaml has no {name}, which dvc.yaml needs: {add}."
