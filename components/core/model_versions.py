"""Model versions in MLflow's registry: found by content, exactly one champion, and none that was not proven."""

import functools
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.core import tracking
from components.core.decisions import PROMOTED, ROLLED_BACK, Decided, decisions, note, with_decisions
from components.core.errors import WinnowError
from components.core.files import sha256
from components.core.local_registry import Row, read_versions
from components.core.lock import locked
from components.core.secrets import without_secrets
from components.core.store_calls import all_pages
from components.core.terminal import short

CHAMPION, CHALLENGER = "champion", "challenger"
CANDIDATE = "candidate"  # the gate said yes, and a person is asked
HISTORY = "champion_history"  # tag on the registered model: numbers of all champions, the present one last
ALL_FILES = "content_sha256"  # tag: `files.sha256` of the version's whole folder
LONGEST = 100_000  # characters of a version's tag in MLflow
_NAMED = 5  # versions in a sentence


@dataclass(frozen=True)
class Version:
    """One version of the registered model. `sha256` is `model_digest` of its weights and settings.

    source: where the registry says its files are; created: when, in milliseconds since 1970.
    """

    name: str
    number: int
    sha256: str
    run_id: str
    source: str = ""
    aliases: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    created: int = 0


Prove = Callable[[Version], object]
Decide = Callable[[Version], Decided]
BY_HAND = "by hand."


def model_digest(weights: Path) -> str:
    """What makes a model distinct: sha256 over the digests of its weights and of the settings beside them."""
    return hashlib.sha256(f"{sha256(weights)}\n{sha256(weights.with_suffix('.json'))}".encode()).hexdigest()


def versions(name: str) -> list[Version]:
    """All versions of the model, newest first; empty where nothing was registered yet."""
    if (rows := _read_here(name)) is not None:
        return [
            Version(
                name,
                one.number,
                one.tags.get("model_sha256", ""),
                one.run_id,
                one.source,
                one.aliases,
                one.tags,
                one.created,
            )
            for one in rows
        ]
    store = tracking.opened()
    with tracking.answering():
        registered = store.search_registered_models(filter_string=f"name = '{name}'")
        if not registered:
            return []
        aliases: dict[str, str] = registered[0].aliases  # search_model_versions returns none
        found = all_pages(functools.partial(store.search_model_versions, f"name = '{name}'", max_results=1000))
    made = [_version(item, aliases) for item in found]
    return sorted(made, key=lambda version: -version.number)


def find(name: str, wanted: int | str) -> Version:
    """A version by number (in digits too), alias or `model_sha256`. Raises WinnowError naming what there is."""
    every = versions(name)
    for version in [*(one for one in every if str(one.number) == str(wanted)), *every]:  # a number is no alias
        if str(wanted) in (str(version.number), version.sha256 or None, *version.aliases):
            return version
    named = [f"{item.number} ({', '.join(item.aliases)})" if item.aliases else str(item.number) for item in every]
    there = ", ".join(named[:_NAMED]) + (f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else "")
    hint = f"it has {there}" if there else "nothing is registered yet; run `winnow repro`"
    raise WinnowError(f"model {name} has no version {short(wanted)}: {hint}.")


def create(name: str, folder: Path, *, run_id: str, digest: str) -> Version:
    """Register the MLflow model in `folder` as a new version, made by run `run_id`, and the challenger."""
    store = tracking.opened()
    with tracking.answering():
        if not store.search_registered_models(filter_string=f"name = '{name}'"):
            store.create_registered_model(name, description="Registered by Winnow's pipeline.")
        tags = {"model_sha256": digest, ALL_FILES: sha256(folder)}
        logged = store.create_logged_model(tracking.experiment(), name, run_id, tags=tags, model_type="classifier")
        store.log_model_artifacts(logged.model_id, str(folder))
        store.finalize_logged_model(logged.model_id, "READY")
        source = f"models:/{logged.model_id}"
        made = store.create_model_version(name, source, run_id, tags=tags, model_id=logged.model_id)
        store.set_registered_model_alias(name, CHALLENGER, made.version)
    return find(name, int(made.version))


def describe(version: Version, card: str, tags: Mapping[str, str]) -> None:
    """Write a version's card (Markdown), which keeps what was decided, and its tags of evidence."""
    store = tracking.opened()
    card = with_decisions(without_secrets(card), decisions(version.tags))
    with tracking.answering():
        store.update_model_version(version.name, str(version.number), description=card)
        for key, value in tags.items():
            store.set_model_version_tag(version.name, str(version.number), key, _whole(value))


def promote(name: str, number: int | str, *, prove: Prove, decide: Decide | None = None) -> Version:
    """Make a version the champion by hand; returns it. Once more does nothing.

    prove: raises WinnowError unless the version is whole and answers as it did when it was registered; decide: says
    who promotes it and why, or raises WinnowError for what speaks against it.
    """
    with promoting():
        version = find(name, number)
        decided = Decided(PROMOTED, why=BY_HAND)
        if decide and CHAMPION not in version.aliases:
            decided = decide(version)
        prove(version)
        crown(version, decided)
    return find(name, version.number)


def rollback(name: str, *, prove: Prove, by: str = "", why: str = BY_HAND) -> Version:
    """Make the champion before this one champion again; returns it. Raises WinnowError where there is none.

    prove: as of `promote`.
    """
    with promoting():
        numbers = {version.number: version for version in versions(name)}
        history = [number for number in (_history(name) if numbers else []) if number in numbers]
        if len(history) < 2:
            raise WinnowError(f"model {name} has no earlier champion to go back to: use `winnow promote VERSION`.")
        before, gone = numbers[history[-2]], numbers[history[-1]]
        prove(before)
        note(gone, Decided(ROLLED_BACK, by=by, why=f"{why.rstrip('.')}, to version {before.number}."))
        _set_champion(name, history[:-1])
        store = tracking.client()
        with tracking.answering():
            store.set_model_version_tag(name, str(gone.number), "rolled_back", f"to version {before.number}")
    return find(name, before.number)


def crown(version: Version, decided: Decided) -> None:
    """Make `version` the champion unless it is, remembering the one before. The caller holds `promoting()`."""
    if CHAMPION in version.aliases:
        return
    note(version, decided)
    history = _history(version.name)  # ends with this version where its alias was removed in the pages
    _set_champion(version.name, history + [version.number] * (history[-1:] != [version.number]))
    dismiss(version)
    store = tracking.client()
    with tracking.answering():
        store.set_model_version_tag(version.name, str(version.number), "promoted", decided.why)
        if "rolled_back" in version.tags:
            store.delete_model_version_tag(version.name, str(version.number), "rolled_back")


def nominate(version: Version) -> None:
    """Make `version` the one candidate that a person is asked about. The caller holds `promoting()`."""
    store = tracking.client()
    with tracking.answering():
        store.set_registered_model_alias(version.name, CANDIDATE, str(version.number))


def dismiss(version: Version) -> None:
    """Make `version` no candidate any more, where it is one. The caller holds `promoting()`."""
    if CANDIDATE in version.aliases:
        store = tracking.client()
        with tracking.answering():
            store.delete_registered_model_alias(version.name, CANDIDATE)


@contextmanager
def promoting() -> Iterator[None]:
    """Aliases cannot be compared and swapped: whoever decides about the champion holds this lock."""
    with locked(Path(".winnow/promotion.lock"), wait=60, busy="process {pid} is promoting a model: try again later."):
        yield


def _read_here(name: str) -> list[Row] | None:
    """The versions as the local database has them; None where MLflow must be asked, which also says what is wrong."""
    with suppress(sqlite3.Error):
        if (database := tracking.local_registry()) is not None:
            return read_versions(database, name)
    return None


def _whole(value: str) -> str:
    """The value, or words that say so where a tag cannot hold all of it: half of it would be read as if it were all."""
    if len(value) <= LONGEST:
        return value
    return f"{len(value)} characters, more than a tag takes; sha256 {hashlib.sha256(value.encode()).hexdigest()}"


def _version(item: Any, aliases: dict[str, str]) -> Version:
    mine = sorted(alias for alias, number in aliases.items() if int(number) == int(item.version))
    tags = dict(item.tags)
    digest = tags.get("model_sha256", "")
    run_id, source, created = item.run_id or "", item.source or "", int(item.creation_timestamp)
    return Version(item.name, int(item.version), digest, run_id, source, tuple(mine), tags, created)


def _history(name: str) -> list[int]:
    """Champions so far, the present one last; the alias has the last word, should the two differ."""
    store = tracking.opened()
    with tracking.answering():
        model = store.get_registered_model(name)
    history = _numbers(model.tags.get(HISTORY, "[]"))
    present = model.aliases.get(CHAMPION)
    if present is not None and history[-1:] != [int(present)]:
        history.append(int(present))
    return history


def _numbers(tag: str) -> list[int]:
    """What the tag lists; raises WinnowError where somebody has written something else there."""
    with suppress(ValueError, RecursionError):
        found = json.loads(tag)
        if isinstance(found, list) and all(type(number) is int for number in found):
            return found
    raise WinnowError(
        f"the registered model's tag {HISTORY} is {tag[:40]!r}, no list of version numbers: delete that tag in the "
        "MLflow pages (`winnow ui`), then try again."
    )


def _set_champion(name: str, history: list[int]) -> None:
    store = tracking.client()
    with tracking.answering():
        store.set_registered_model_alias(name, CHAMPION, str(history[-1]))
        store.set_registered_model_tag(name, HISTORY, json.dumps(history))
