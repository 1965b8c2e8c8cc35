"""How samples are looked at: by the policies of `augment`, or plainly; one file says it for every stage after it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from components.core.config import Config, PluginChoice, validated
from components.core.errors import WinnowError
from components.core.files import write_text
from components.core.unused import refuse_unused, unused
from components.datasets.named_arrays import read_arrays, write_arrays
from components.modalities import Array, Input, Modality, Plain, Statistics, View, build_modality

REMEDY = "run `dvc repro --force augment`"


class _File(Config):
    modality: PluginChoice
    statistics: dict[str, Any]
    policies: dict[str, dict[str, Any]]


class Views:
    """`views[name]` makes the view that the policy of that name describes, `views.plain` changes nothing."""

    def __init__(self, modality: Modality, statistics: Statistics, policies: Mapping[str, Any]) -> None:
        self.modality, self.statistics, self.policies = modality, statistics, dict(policies)

    def __getitem__(self, name: str) -> View:
        return self.modality.view(self.policies[name], self.statistics)

    def __contains__(self, name: object) -> bool:
        return name in self.policies

    def by(self, statistics: Statistics) -> "Views":
        """The same policies on samples normalized otherwise, as given weights want them."""
        return Views(self.modality, statistics, self.policies)

    @property
    def plain(self) -> Plain:
        """Records as a model sees them unchanged."""
        return self.modality.plain(self.statistics)

    @property
    def input(self) -> Input:
        """What an encoder of these views is given."""
        return self.modality.input(self.statistics)

    def restore(self, views: Any) -> Array:
        """Views back to records."""
        return self.modality.restore(views, self.statistics)


def read_views(path: Path) -> Views:
    """Read what `write_views` wrote. Raises WinnowError if the file is missing or was changed by hand."""
    if not path.is_file():
        raise WinnowError(f"{path} is missing: run `dvc repro augment`, which makes it.")
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise WinnowError(f"{path} is not valid JSON ({error}): {REMEDY}.") from None
    if not isinstance(values, dict):
        raise WinnowError(f"{path} holds no policies: {REMEDY}, which makes it anew.")
    found = validated(_File, values, where=path.name)
    modality = build_modality(found.modality, where=f"{path.name}: modality")
    policies = {
        name: validated(modality.Policy, own, where=f"{path.name}: policies.{name}")
        for name, own in found.policies.items()
    }
    return Views(modality.with_material(_material(path.with_suffix(".npz"))), found.statistics, policies)


def _material(path: Path) -> Mapping[str, Array]:
    """None where there is no file, as beside policies that took nothing from files."""
    try:
        return read_arrays(path) if path.is_file() else {}
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise WinnowError(f"{path} is damaged ({str(error)[:80]}): {REMEDY}.") from None


def write_views(path: Path, views: Views) -> None:
    """Write the policies with every setting spelled out, so that the file says what each view is, and beside it
    (`.npz`) what the kind of data has gathered for them.
    """
    policies = {name: policy.model_dump(mode="json") for name, policy in views.policies.items()}
    facts = {"modality": views.modality.choice.model_dump(), "statistics": views.statistics, "policies": policies}
    write_text(path, json.dumps(facts, sort_keys=True, indent=2) + "\n")
    write_arrays(path.with_suffix(".npz"), views.modality.material)


def parse_policies(modality: Modality, policies: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """The policies by name, each checked by the kind of data.

    Raises WinnowError naming a setting that cannot be, and those that do nothing beside others or on this data.
    """
    parsed = {name: validated(modality.Policy, own, where=f"{where}.{name}") for name, own in policies.items()}
    idle: dict[str, str] = {}
    for name, policy in parsed.items():
        idle |= unused(policy, f"{where}.{name}")
        idle |= {f"{where}.{name}.{setting}": why for setting, why in modality.idle(policy).items()}
    refuse_unused(idle)
    return parsed
