"""Model versions in MLflow's registry: found by content, loaded only if ours and whole, exactly one champion."""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from components.core import tracking
from components.core.errors import WinnowError
from components.core.files import sha256
from components.core.lock import locked
from components.core.secrets import without_secrets

CHAMPION, CHALLENGER = "champion", "challenger"
HISTORY = "champion_history"  # tag on the registered model: numbers of all champions, the present one last
WEIGHTS = "weights/model.safetensors"  # inside a version's folder, with its .json beside it
LOADERS = {"mlflow.pytorch"}


@dataclass(frozen=True)
class Version:
    """One version of the registered model. `sha256` is `model_digest` of its weights and settings."""

    name: str
    number: int
    sha256: str
    run_id: str
    aliases: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)


def model_digest(weights: Path) -> str:
    """What makes a model distinct: sha256 over the digests of its weights and of the settings beside them."""
    return hashlib.sha256(f"{sha256(weights)}\n{sha256(weights.with_suffix('.json'))}".encode()).hexdigest()


def versions(name: str) -> list[Version]:
    """All versions of the model, newest first; empty where nothing was registered yet."""
    store = tracking.opened()
    with tracking.answering():
        registered = store.search_registered_models(filter_string=f"name = '{name}'")
        if not registered:
            return []
        aliases: dict[str, str] = registered[0].aliases  # search_model_versions returns none
        found = store.search_model_versions(f"name = '{name}'", max_results=1000)
    made = [_version(item, aliases) for item in found]
    return sorted(made, key=lambda version: -version.number)


def find(name: str, wanted: int | str) -> Version:
    """A version by number, alias or `model_sha256`. Raises WinnowError naming what there is."""
    every = versions(name)
    for version in every:
        if wanted in (version.number, version.sha256) or wanted in version.aliases:
            return version
    there = ", ".join(" ".join([str(item.number), *item.aliases]) for item in every)
    hint = f"there are {there}" if there else "nothing is registered yet; run `winnow repro`"
    raise WinnowError(f"model {name} has no version {wanted}: {hint}.")


def fetch(version: Version) -> Path:
    """Path of the version's weights on this machine, checked.

    Raises WinnowError unless the version is of our own making and its content is what was registered: code that comes
    with a model, another loader than MLflow's PyTorch one, or changed bytes are refused before anything is loaded.
    """
    home = Path(".winnow/models") / f"{version.name}-{version.number}-{version.sha256[:12]}"
    weights = home / WEIGHTS
    if not home.is_dir():
        _download(version, home)
    _check_loader(home, version)
    if not weights.is_file() or model_digest(weights) != version.sha256:
        raise WinnowError(
            f"version {version.number} of {version.name} is not what was registered (its sha256 differs): "
            f"delete {home} to fetch it anew, or register the model again with `winnow repro`."
        )
    return weights


def create(name: str, folder: Path, *, run_id: str, digest: str) -> Version:
    """Register the MLflow model in `folder` as a new version, made by run `run_id`, and the challenger."""
    store = tracking.opened()
    with tracking.answering():
        if not store.search_registered_models(filter_string=f"name = '{name}'"):
            store.create_registered_model(name, description="Registered by Winnow's pipeline.")
        tags = {"model_sha256": digest}
        logged = store.create_logged_model(tracking.experiment(), name, run_id, tags=tags, model_type="classifier")
        store.log_model_artifacts(logged.model_id, str(folder))
        store.finalize_logged_model(logged.model_id, "READY")
        source = f"models:/{logged.model_id}"
        made = store.create_model_version(name, source, run_id, tags=tags, model_id=logged.model_id)
        store.set_registered_model_alias(name, CHALLENGER, made.version)
    return find(name, int(made.version))


def describe(version: Version, card: str, tags: Mapping[str, str]) -> None:
    """Write a version's card (Markdown) and its tags of evidence."""
    store = tracking.opened()
    with tracking.answering():
        store.update_model_version(version.name, str(version.number), description=without_secrets(card))
        for key, value in tags.items():
            store.set_model_version_tag(version.name, str(version.number), key, value[:5000])


def promote(name: str, number: int) -> Version:
    """Make a version the champion by hand; returns it. Once more does nothing.

    Raises WinnowError when the version does not exist or is not whole.
    """
    with promoting():
        version = find(name, number)
        fetch(version)
        crown(version, why="promoted by hand.")
    return find(name, number)


def rollback(name: str) -> Version:
    """Make the champion before this one champion again; returns it. Raises WinnowError where there is none."""
    with promoting():
        numbers = {version.number for version in versions(name)}
        history = [number for number in (_history(name) if numbers else []) if number in numbers]
        if len(history) < 2:
            raise WinnowError(f"model {name} has no earlier champion to go back to: use `winnow promote VERSION`.")
        before = find(name, history[-2])
        fetch(before)
        _set_champion(name, history[:-1])
        store = tracking.client()
        with tracking.answering():
            store.set_model_version_tag(name, str(history[-1]), "rolled_back", f"to version {before.number}")
    return find(name, before.number)


def crown(version: Version, *, why: str) -> None:
    """Make `version` the champion unless it is, remembering the one before. The caller holds `promoting()`."""
    history = _history(version.name)
    if history[-1:] == [version.number]:
        return
    _set_champion(version.name, [*history, version.number])
    store = tracking.client()
    with tracking.answering():
        store.set_model_version_tag(version.name, str(version.number), "promoted", why)
        if "rolled_back" in version.tags:
            store.delete_model_version_tag(version.name, str(version.number), "rolled_back")


@contextmanager
def promoting() -> Iterator[None]:
    """Aliases cannot be compared and swapped: whoever decides about the champion holds this lock."""
    with locked(Path(".winnow/promotion.lock"), wait=60, busy="process {pid} is promoting a model: try again later."):
        yield


def _version(item: Any, aliases: dict[str, str]) -> Version:
    mine = sorted(alias for alias, number in aliases.items() if int(number) == int(item.version))
    tags = dict(item.tags)
    return Version(item.name, int(item.version), tags.get("model_sha256", ""), item.run_id or "", tuple(mine), tags)


def _history(name: str) -> list[int]:
    """Champions so far, the present one last; the alias has the last word, should the two differ."""
    store = tracking.opened()
    with tracking.answering():
        model = store.get_registered_model(name)
    history = [int(number) for number in json.loads(model.tags.get(HISTORY, "[]"))]
    present = model.aliases.get(CHAMPION)
    if present is not None and history[-1:] != [int(present)]:
        history.append(int(present))
    return history


def _set_champion(name: str, history: list[int]) -> None:
    store = tracking.client()
    with tracking.answering():
        store.set_registered_model_alias(name, CHAMPION, str(history[-1]))
        store.set_registered_model_tag(name, HISTORY, json.dumps(history))


def _download(version: Version, home: Path) -> None:
    from mlflow.artifacts import download_artifacts

    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as aside:
        with tracking.answering():
            uri = tracking.client().get_model_version_download_uri(version.name, str(version.number))
            got = download_artifacts(artifact_uri=uri, dst_path=aside, tracking_uri=tracking.tracking_uri())
        Path(got).replace(home)


def _check_loader(home: Path, version: Version) -> None:
    """Refuse a model that would bring code along. Reads `MLmodel` as plain data, before anything is imported."""
    where = f"version {version.number} of {version.name}"
    if not (home / "MLmodel").is_file():
        raise WinnowError(f"{where} has no MLmodel file: it was not registered by Winnow.")
    facts = yaml.safe_load((home / "MLmodel").read_text(encoding="utf-8"))
    flavors = facts.get("flavors", {}) if isinstance(facts, dict) else {}
    if set(flavors) != {"python_function", "pytorch"}:
        raise WinnowError(f"{where} is not a PyTorch model of ours (flavors {sorted(flavors)}): it is not loaded.")
    loader = flavors["python_function"].get("loader_module")
    code = [flavor["code"] for flavor in flavors.values() if flavor.get("code")]
    if loader not in LOADERS or code:
        raise WinnowError(f"{where} brings code of its own (loader {loader}, code {code}): it is not loaded.")
    requirements = home / "requirements.txt"
    wants = requirements.read_text(encoding="utf-8") if requirements.is_file() else ""
    if not all(re.fullmatch(r"[\w.-]+==[\w.+]+", line) for line in wants.split()):
        raise WinnowError(f"{where} asks for packages other than by name==version: it is not loaded.")
