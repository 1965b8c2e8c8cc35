"""A second version beside the champion in a local registry, whose files and tags are spoiled again and again."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks._hostile_archives import changed
from benchmarks._hostile_versions import Spoil
from components.core import files, model_versions, tracking
from components.core.model_versions import ALL_FILES, Version, find
from components.core.version_files import FILES, HOME, WEIGHTS


@dataclass(frozen=True)
class Spare:
    """Version `number` of the model `name`; whole: the files of the champion, which it has at first; home: its own."""

    name: str
    number: int
    whole: Path
    home: Path

    @property
    def version(self) -> Version:
        """As the registry tells of it now."""
        return find(self.name, self.number)

    def spoil(self, spoil: Spoil | None, *, forged: bool = False, **tags: str) -> None:
        """Make its files the champion's, spoiled, and nothing of it fetched; `forged`: its tags are made to match."""
        shutil.rmtree(HOME, ignore_errors=True)
        for folder in self.home.parent.glob(f"{self.home.name}*"):
            shutil.rmtree(folder)
        shutil.copytree(self.whole, self.home)
        if spoil:
            spoil(self.home)
        self.tag(**(_tags(self.home if forged else self.whole) | tags))

    def tag(self, **tags: str) -> None:
        """Set its tags in the registry, as somebody may in MLflow's pages."""
        for name, value in tags.items():
            tracking.client().set_model_version_tag(self.name, str(self.number), name, value)

    @contextmanager
    def moved(self, source: str) -> Iterator[None]:
        """Meanwhile the registry says that its files are at `source`, which only its database can be made to."""
        change = "UPDATE model_versions SET source = ?, storage_location = ? WHERE version = ?"
        with sqlite3.connect("mlflow.db") as database:
            told = "SELECT source, storage_location FROM model_versions WHERE version = ?"
            before = database.execute(told, (self.number,)).fetchone()
            database.execute(change, (source, source, self.number))
        yield
        with sqlite3.connect("mlflow.db") as database:
            database.execute(change, (*before, self.number))


def spare(name: str) -> Spare:
    """Another version of the model whose version 1 is the champion, with the same files."""
    store, first = tracking.client(), find(name, 1)
    logged = store.create_logged_model(tracking.experiment(), name, first.run_id)
    source = f"models:/{logged.model_id}"
    made = store.create_model_version(name, source, first.run_id, tags=_tags(place(first.source)))
    ours = Spare(name, int(made.version), place(first.source), place(source))
    ours.spoil(None)
    return ours


def place(source: str) -> Path:
    """The folder in which the files of a model in the local store lie."""
    logged = tracking.client().get_logged_model(source.removeprefix("models:/"))
    return Path(logged.artifact_location.removeprefix("file://"))


def bytes_by_chance(chance: random.Random) -> Spoil:
    """A change of bytes in one of a version's files."""

    def spoil(home: Path) -> None:
        file = home / chance.choice(FILES)
        before = file.read_bytes()
        while (after := changed(before, chance)) == before:
            pass
        file.write_bytes(after)

    return spoil


def _tags(home: Path) -> dict[str, str]:
    return {"model_sha256": _digest(home), ALL_FILES: files.sha256(home)}


def _digest(home: Path) -> str:
    whole = all((home / name).is_file() for name in (WEIGHTS, "weights/model.json"))
    return model_versions.model_digest(home / WEIGHTS) if whole else "0" * 64
