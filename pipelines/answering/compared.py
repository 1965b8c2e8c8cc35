"""Two `dvc.lock`s beside each other, stage by stage: what a stage made, and what it was given that no stage makes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.used import differing

Lock = Mapping[str, Any]
CODE = "components"  # the stage `code` reads all of it, and makes of it what counts


@dataclass(frozen=True)
class Compared:
    """One stage. differs: outputs whose bytes are not the same; causes: what of what it was given is not, in words."""

    stage: str
    differs: tuple[Path, ...]
    causes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether it made the same bytes."""
        return not self.differs


def compare_stage(name: str, then: Lock, now: Lock) -> Compared:
    """The stage in both locks; what only one of them lists counts as differing."""
    before, after = then.get(name, {}), now.get(name, {})
    outputs = _unlike(before, after, "outs")
    made = {entry["path"] for lock in (then, now) for stage in lock.values() for entry in stage.get("outs", [])}
    given = [path for path in _unlike(before, after, "deps") if path not in made and path != CODE]
    return Compared(
        name, tuple(map(Path, outputs)), (*_settings(before, after), *(f"{path} is another" for path in given))
    )


def first_difference(order: Sequence[str], then: Lock, now: Lock) -> Compared | None:
    """The first stage that made other bytes; None where all made the same."""
    return next((one for name in order if not (one := compare_stage(name, then, now)).same), None)


def _settings(before: Lock, after: Lock) -> Iterator[str]:
    old, new = (block.get("params", {}).get("params.yaml", {}) for block in (before, after))
    yield from (f"{name} is {_value(new, name)}, was {_value(old, name)}" for name in differing(old, new))
    if before.get("cmd") != after.get("cmd"):
        yield "its command is another"


def _value(params: Mapping[str, Any], name: str) -> Any:
    found: Any = params
    for part in [name] if name in params else name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return "unset" if found is None else found


def _unlike(before: Lock, after: Lock, kind: str) -> list[str]:
    old, new = ({entry["path"]: entry.get("md5") for entry in block.get(kind, [])} for block in (before, after))
    return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))
