"""Every plug-in by family with its caption, read from the files without importing them; and one with its settings."""

import ast
import inspect

import yaml

from components.core.config import Config, did_you_mean
from components.core.errors import WinnowError
from components.core.plugins import CHOICES, FAMILIES, every, file_of, load, names

DECLARED = ("fits", "takes")
SETTINGS = {family: place for place, family in CHOICES.items()}  # of several places that take one family, the last


def listing() -> str:
    """A table: family, then name and caption of each plug-in, and the kinds of views it is for, where not for all."""
    width = max(len(name) for family in FAMILIES for name in names(family))
    blocks = []
    for family in FAMILIES:
        rows = [f"  {name:<{width}}  {_caption(family, name)}" for name in names(family)]
        blocks.append("\n".join([family.replace("_", " "), *rows]))
    return "\n\n".join(blocks)


def _caption(family: str, name: str) -> str:
    kinds = _fits(family, name)
    return _text(family, name).partition("\n")[0] + (f" [{', '.join(kinds)}]" if kinds else "")


def description(wanted: str) -> str:
    """What the plug-in of that name is, how params.yaml names it with all its defaults, and what its settings mean.

    Raises WinnowError for a name that no plug-in has.
    """
    found = [family for family, name in every() if name == wanted]
    if not found:
        raise WinnowError(f"unknown method '{wanted}': {did_you_mean(wanted, [name for _, name in every()])}")
    return "\n\n".join(_described(family, wanted) for family in found)


def _described(family: str, name: str) -> str:
    config: type[Config] = load(family, name).Config
    means = [inspect.cleandoc(part.__doc__ or "") for part in config.__mro__ if issubclass(part, Config)][:-1]
    for option, field in config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Config):
            means.append(f"{option}: {inspect.cleandoc(field.annotation.__doc__ or '')}")
    kinds = " and ".join(_fits(family, name)) or "every kind of data"
    return "\n\n".join([_text(family, name), f"For {kinds}.", _choice(family, name, config), *means])


def _choice(family: str, name: str, config: type[Config]) -> str:
    if family not in SETTINGS:
        return "Chosen by ingest.source in params.yaml."
    block, setting = SETTINGS[family]
    defaults = config.model_validate({})
    options = {"name": name, **defaults.model_dump(mode="json", exclude=set(defaults.unused()))}
    line = yaml.safe_dump(options, default_flow_style=True, sort_keys=False, width=1000).rstrip()
    return f"In params.yaml, with its defaults:\n\n  {block}:\n    {setting}: {line}"


def _text(family: str, name: str) -> str:
    return ast.get_docstring(_tree(family, name)) or ""


def _fits(family: str, name: str) -> tuple[str, ...]:
    """The kinds of views that a plug-in says it is for, in its own file."""
    for node in ast.walk(_tree(family, name)):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id in DECLARED for one in targets):
            return tuple(ast.literal_eval(node.value))
    return ()


def _tree(family: str, name: str) -> ast.Module:
    return ast.parse(file_of(family, name).read_text(encoding="utf-8"))
