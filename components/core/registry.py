"""Plug-ins: a plug-in is its file name. No list to edit; a new file in a family's folder is found."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from components.core.config import PluginChoice, nearest, parse
from components.core.errors import WinnowError

FAMILIES = {
    "source": "components.datasets.sources",
    "encoder": "components.models.encoders",
    "self_supervised": "components.methods.self_supervised",
    "semi_supervised": "components.methods.semi_supervised",
    "adaptation": "components.methods.adaptation",
    "query_strategy": "components.methods.query_strategies",
    "label_model": "components.methods.label_models",
}

CHOICES = {  # the block and the setting of params.yaml that name a plug-in -> its family
    ("pretrain", "encoder"): "encoder",
    ("pretrain", "method"): "self_supervised",
    ("label", "first"): "query_strategy",
    ("label", "aggregation"): "label_model",
    ("pseudo_label", "method"): "semi_supervised",
    ("finetune", "method"): "adaptation",
    ("select", "strategy"): "query_strategy",
}

KINDS = {
    "self_supervised": "self-supervised method",
    "semi_supervised": "semi-supervised method",
    "adaptation": "adaptation method",
    "query_strategy": "query strategy",
    "label_model": "label model",
}


def names(family: str) -> list[str]:
    """File names of the family's plug-ins, sorted; nothing is imported."""
    return sorted(module.name for module in pkgutil.iter_modules([str(folder(family))]) if module.name[0] != "_")


def folder(family: str) -> Path:
    """Where the family's files are."""
    spec = find_spec(FAMILIES[family])
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def load(family: str, name: str, *, where: str = "") -> Any:
    """The plug-in itself: the one thing in the file that carries the file's name (`simclr.py` -> `SimCLR`).

    Raises WinnowError naming the choices for an unknown name, and the setting `where` it stands.
    """
    known = names(family)
    if name not in known:
        place = f" in {where}" if where else ""
        raise WinnowError(
            f"unknown {KINDS.get(family, family.replace('_', '-'))} '{name}'{place}: {nearest(name, known)}"
        )
    module = import_module(f"{FAMILIES[family]}.{name}")
    wanted = name.replace("_", "")
    for attribute, value in vars(module).items():
        if attribute.lower().replace("_", "") == wanted and getattr(value, "__module__", "") == module.__name__:
            return value
    raise AssertionError(f"{module.__name__} defines nothing named like its file")


def build(family: str, choice: PluginChoice, *parts: Any, where: str) -> Any:
    """Construct the chosen plug-in: `Plugin(*parts, config)`, its options checked by its `Config`."""
    plugin = load(family, choice.name, where=where)
    return plugin(*parts, parse(plugin.Config, choice.options, where=where))


def every() -> Iterator[tuple[str, str]]:
    """All (family, name) pairs there are, for listings and for the tests that run over everything."""
    for family in FAMILIES:
        for name in names(family):
            yield family, name
