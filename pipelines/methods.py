"""Every plug-in by family with its caption, read from the files without importing them; and one with its settings."""

import ast
import inspect
from pathlib import Path

import yaml

from components.core.config import Config, nearest
from components.core.errors import WinnowError
from components.core.registry import CHOICES, FAMILIES, every, folder, load, names

SETTINGS = {family: place for place, family in CHOICES.items()}  # of several places that take one family, the last


def listing() -> str:
    """A table: family, then name and caption (first line of the file's docstring) of each plug-in."""
    width = max(len(name) for family in FAMILIES for name in names(family))
    blocks = []
    for family in FAMILIES:
        rows = [f"  {name:<{width}}  {_text(family, name).partition(chr(10))[0]}" for name in names(family)]
        blocks.append("\n".join([family.replace("_", " "), *rows]))
    return "\n\n".join(blocks)


def description(wanted: str) -> str:
    """What the plug-in of that name is, how params.yaml names it with all its defaults, and what its settings mean.

    Raises WinnowError for a name that no plug-in has.
    """
    found = [family for family, name in every() if name == wanted]
    if not found:
        raise WinnowError(f"unknown method '{wanted}': {nearest(wanted, [name for _, name in every()])}")
    return "\n\n".join(_described(family, wanted) for family in found)


def _described(family: str, name: str) -> str:
    config: type[Config] = load(family, name).Config
    means = [inspect.cleandoc(part.__doc__ or "") for part in config.__mro__ if issubclass(part, Config)][:-1]
    for option, field in config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Config):
            means.append(f"{option}: {inspect.cleandoc(field.annotation.__doc__ or '')}")
    return "\n\n".join([_text(family, name), _choice(family, name, config), *means])


def _choice(family: str, name: str, config: type[Config]) -> str:
    if family not in SETTINGS:
        return "Chosen by ingest.source in params.yaml."
    block, setting = SETTINGS[family]
    options = {"name": name, **config.model_validate({}).model_dump(mode="json")}
    line = yaml.safe_dump(options, default_flow_style=True, sort_keys=False, width=1000).rstrip()
    return f"In params.yaml, with its defaults:\n\n  {block}:\n    {setting}: {line}"


def _text(family: str, name: str) -> str:
    file = Path(folder(family) / f"{name}.py")
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
