"""What views of texts need beside settings and vocabulary: synonyms and other versions, read once out of files."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components.core.errors import WinnowError
from components.datasets.sample_store import Samples
from components.modalities import Array, Positions
from components.modalities.text.policy import Policy, Rewritten, Synonyms
from components.modalities.text.versions import read_versions
from components.modalities.text.word_neighbors import read_neighbors
from components.modalities.text.wordnet import read_synonyms


def gather(policies: Iterable[Policy], samples: Samples, rows: Positions, ids: Sequence[str]) -> dict[str, Array]:
    """By what `name_of` calls it, what the policies take from files, as JSON in UTF-8: lists of texts by name."""
    found: dict[str, Array] = {}
    for policy in policies:
        for setting in (policy.synonyms, policy.rewritten):
            if setting is None or name_of(setting) in found:
                continue
            if isinstance(setting, Rewritten):
                values = read_versions(Path(setting.file), samples, rows, ids)
            elif setting.vectors:
                values = read_neighbors(Path(setting.vectors), setting.nearest)
            else:
                values = read_synonyms(Path(_place(setting)), setting.nearest)
            content = json.dumps(values, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
            found[name_of(setting)] = np.frombuffer(content, np.uint8)
    return found


def name_of(setting: Synonyms | Rewritten) -> str:
    """The setting's kind and source, whatever its chance."""
    return json.dumps([type(setting).__name__.lower(), setting.model_dump(exclude={"chance"}, exclude_none=True)])


def sources(material: Mapping[str, Array]) -> list[tuple[str, dict[str, Any]]]:
    """Of what was gathered, the setting's name and what it says beside a chance."""
    return [(kind, source) for kind, source in map(json.loads, material)]


def listed(material: Mapping[str, Array], setting: Synonyms | Rewritten) -> dict[str, list[str]]:
    """What was gathered for the setting. Raises WinnowError where nothing was."""
    if (found := material.get(name_of(setting))) is None:
        raise WinnowError(
            f"data/augment holds nothing that augment.policies takes from {_place(setting)}: run `dvc repro --force "
            "augment`."
        )
    values: dict[str, list[str]] = json.loads(found.tobytes().decode("utf-8"))
    return values


def _place(setting: Synonyms | Rewritten) -> str:
    if isinstance(setting, Rewritten):
        return setting.file
    return str(setting.vectors or setting.wordnet)
