"""Resolve the augmentation policies, measure what views are made by, and show what the model will see."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import field_validator

from components.core.config import StageParams
from components.core.errors import WinnowError
from components.core.seeds import numpy_generator
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.sample_store import open_samples
from components.modalities import build_modality
from components.modalities.views import Views, parse_policies, write_views

NEEDED = ("weak", "view", "strong")
SHOWN = 8


class Params(StageParams):
    """The policies by name; methods ask for `weak`, `view` and `strong`. The kind of data says what they may hold."""

    policies: dict[str, dict[str, Any]]

    @field_validator("policies")
    @classmethod
    def _complete(cls, policies: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        missing = [name for name in NEEDED if name not in policies]
        if missing:
            raise ValueError(f"policies named {', '.join(NEEDED)}, and {' and '.join(missing)} is missing")
        return policies


def run(
    *, params: Params, manifest: Path, samples: Path, verdict: Path, weights: Path, policy: Path, preview: Path
) -> dict[str, float]:
    """Write `policy` (JSON, see `Views`; `.npz` beside it) and `preview` (PNG); returns statistics that are numbers.

    weights: the watched folder, in which files lie that policies name. Raises WinnowError if the data did not pass
    validation, the training split is empty, or such a file cannot be used.
    """
    _require_passed(verdict)
    store = open_samples(samples)
    table = read_manifest(manifest, ["id", "split"])
    training = positions_of(table, "train")
    if not len(training):
        raise WinnowError(f"{manifest} has no training samples: lower ingest.test_fraction or add samples.")
    modality = build_modality(store.about.modality)
    policies = parse_policies(modality, params.policies, where="augment.policies")
    material = modality.gather(policies.values(), store, training, table["id"].iloc[training].tolist())
    modality = modality.with_material(material)
    views = Views(modality, modality.measure(store, training), policies)
    write_views(policy, views)
    shown = np.sort(numpy_generator(params.seed, "preview").permutation(training)[:SHOWN])
    modality.preview_policies(preview, store[shown], policies, views.statistics, params.seed)
    return _figures(views.statistics)


def _figures(statistics: dict[str, Any]) -> dict[str, float]:
    """Numbers, and lists of numbers one by one."""
    listed = {name: value if isinstance(value, list) else [value] for name, value in statistics.items()}
    return {
        f"{name}_{number}": float(value)
        for name, values in listed.items()
        for number, value in enumerate(values)
        if isinstance(value, int | float)
    }


def _require_passed(verdict: Path) -> None:
    if not json.loads(verdict.read_text(encoding="utf-8"))["success"]:
        raise WinnowError(f"{verdict} says that the data did not pass: mend it, then run `dvc repro validate`.")
