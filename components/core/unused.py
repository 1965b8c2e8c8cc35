"""Settings that do nothing beside the others: found at any depth, and refused in one sentence that names them all."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from components.core.errors import WinnowError


def unused(settings: BaseModel, where: str = "") -> dict[str, str]:
    """By dotted name, what was set and does nothing beside the other settings, and why; as every `Config.unused` says.

    where: dotted name of the block; an empty setting is none.
    """
    reasons: dict[str, str] = getattr(settings, "unused", dict)()
    found = {}
    for name in type(settings).model_fields:
        value, place = getattr(settings, name), f"{where}.{name}" if where else name
        if name not in settings.model_fields_set or value is None:
            continue
        if name in reasons:
            found[place] = reasons[name]
        else:
            for inner, block in _blocks(place, value):
                found |= unused(block, inner)
    return found


def refuse_unused(found: dict[str, str]) -> None:
    """Raise WinnowError for settings that do nothing, by dotted name with why."""
    if found:
        by_reason = {why: [name for name in found if found[name] == why] for why in found.values()}
        parts = [f"{_listed(names)} not used, since {why}" for why, names in by_reason.items()]
        raise WinnowError(f"{'; '.join(parts)}: take {'it' if len(found) == 1 else 'them'} out.")


def _blocks(place: str, value: Any) -> Iterator[tuple[str, BaseModel]]:
    if isinstance(value, BaseModel):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _blocks(f"{place}.{key}", inner)


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:-1])} and {names[-1]} are"
