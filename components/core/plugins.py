"""Plug-ins: a plug-in is its file name. No list to edit; a new file in a family's folder is found."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from components.core.config import PluginChoice, did_you_mean, parse
from components.core.errors import WinnowError

FAMILIES = {
    "modality": "components.modalities",
    "source": "components.datasets.sources",
    "encoder": "components.models.encoders",
    "self_supervised": "components.methods.self_supervised",
    "semi_supervised": "components.methods.semi_supervised",
    "adaptation": "components.methods.adaptation",
    "query_strategy": "components.methods.query_strategies",
    "label_model": "components.methods.label_models",
}

FOLDERS = ("modality",)  # families whose plug-ins are folders

CHOICES = {  # the block and the setting of params.yaml that name a plug-in -> its family
    ("ingest", "modality"): "modality",
    ("pretrain", "encoder"): "encoder",
    ("pretrain", "method"): "self_supervised",
    ("label", "first"): "query_strategy",
    ("label", "aggregation"): "label_model",
    ("label", "rule_aggregation"): "label_model",
    ("pseudo_label", "method"): "semi_supervised",
    ("finetune", "method"): "adaptation",
    ("select", "strategy"): "query_strategy",
}

KINDS = {
    "modality": "kind of data",
    "self_supervised": "self-supervised method",
    "semi_supervised": "semi-supervised method",
    "adaptation": "adaptation method",
    "query_strategy": "query strategy",
    "label_model": "label model",
}


def names(family: str) -> list[str]:
    """File names of the family's plug-ins, or folder names where each is a folder, sorted; nothing is imported."""
    found = pkgutil.iter_modules(places(family))
    return sorted(one.name for one in found if one.name[0] != "_" and (one.ispkg or family not in FOLDERS))


def places(family: str) -> list[str]:
    """Folders of the family's files."""
    spec = find_spec(FAMILIES[family])
    assert spec is not None
    return list(spec.submodule_search_locations or [])


def file_of(family: str, name: str) -> Path:
    """The plug-in's file; of one that is a folder, its first."""
    inside = f"{name}/__init__.py" if family in FOLDERS else f"{name}.py"
    return next(path for place in places(family) if (path := Path(place) / inside).is_file())


def load(family: str, name: str, *, where: str = "") -> Any:
    """The plug-in itself: the one thing in the file that carries the file's name (`simclr.py` -> `SimCLR`).

    Raises WinnowError naming the choices for an unknown name, and the setting `where` it stands.
    """
    known = names(family)
    if name not in known:
        place = f" in {where}" if where else ""
        raise WinnowError(
            f"unknown {KINDS.get(family, family.replace('_', '-'))} '{name}'{place}: {did_you_mean(name, known)}"
        )
    module = import_module(f"{FAMILIES[family]}.{name}")
    wanted = name.replace("_", "")
    for attribute, value in vars(module).items():
        if attribute.lower().replace("_", "") == wanted and getattr(value, "__module__", "") == module.__name__:
            return value
    raise AssertionError(f"{module.__name__} defines nothing named like its file")


def check_chosen(params: Mapping[str, Any]) -> None:
    """Raise WinnowError for the first unknown plug-in that settings name; nothing is imported to find that out."""
    for (owner, setting), family in CHOICES.items():
        own = params.get(owner)
        choice = own.get(setting) if isinstance(own, dict) else None
        name = choice.get("name") if isinstance(choice, dict) else None
        if isinstance(name, str) and name not in names(family):
            load(family, name, where=f"{owner}.{setting}")


def build(family: str, choice: PluginChoice, *parts: Any, where: str, kind: str = "") -> Any:
    """Construct the chosen plug-in: `Plugin(*parts, config)`, its options checked by its `Config`.

    kind: of the views it is for, empty where there are none. Raises WinnowError as `load`, `parse` and `check_fits` do.
    """
    plugin = load(family, choice.name, where=where)
    check_fits(family, choice.name, kind, where=where)
    return plugin(*parts, parse(plugin.Config, choice.options, where=where))


def fits(plugin: Any) -> tuple[str, ...]:
    """The kinds of views that a plug-in is for, as it declares them; none: all."""
    return tuple(getattr(plugin, "takes", ()) or getattr(plugin, "fits", ()))


def check_fits(family: str, name: str, kind: str, *, where: str) -> None:
    """Raise WinnowError, naming those that are, where the plug-in is not for views of this `kind`."""
    own = fits(load(family, name, where=where))
    if not kind or not own or kind in own:
        return
    others = [other for other in names(family) if kind in (fits(load(family, other)) or (kind,))]
    choose = f"choose from {', '.join(others)}" if others else "there is none for them yet"
    raise WinnowError(f"{where} '{name}' is for {' and '.join(own)}, and ingest.modality gives {kind}: {choose}.")


def every() -> Iterator[tuple[str, str]]:
    """All (family, name) pairs there are, for listings and for the tests that run over everything."""
    for family in FAMILIES:
        for name in names(family):
            yield family, name
