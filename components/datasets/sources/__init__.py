"""Where samples come from. A source is a file here; `ingest.source` names it, or is a path to a folder."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy.typing as npt

from components.core import config, plugins
from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.datasets.archive import is_archive, unpack

Split = Literal["train", "test"]
ASKED = ("root", "download", "classes", "columns", "test_fraction")


@dataclass(frozen=True, slots=True)
class Item:
    """One sample as the source has it.

    path: its name within the source, stable and unique; for a file relative, with `/`.
    content: the file (opened and decoded by the reader, in parallel), or what is in it: pixels, `(H, W)` or
    `(H, W, 3)` uint8, or another array that the kind of data reads.
    label: its class, None where the source does not know it. split: None where the source does not say. origin: what it
    is of, such as a speaker, where a column says it.
    """

    path: str
    content: Path | npt.NDArray[Any]
    label: str | None
    split: Split | None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something the source found and will not hand out, and why: see `quarantine.KINDS`."""

    path: str
    kind: Literal["unsafe", "unreadable", "no_picture"]
    reason: str


class Columns(config.Config):
    """Names of a table's columns; empty: found by usual names, '': there is none; several texts are joined by lines.

    unlabeled: cells of the label's column that say that there is no class, such as NULL; must be said where there are
    some that may; []: they are classes.
    """

    text: str | list[str] | None = None
    label: str | None = None
    split: str | None = None
    id: str | None = None
    unlabeled: list[str] | None = None


class Source(ABC):
    """A stream of samples, in any order: what ingest makes of it does not depend on the order.

    Constructed as `Source(config)`. Holds no list of its samples, so that its size does not matter. Raises WinnowError
    where there is nothing to read.

    uses: which of `ASKED`, settings of `ingest`, mean something for this source. files: whether it hands out files,
    whose reading has settings. fits: the kinds of data it has; none named: any. endings: of the file that it reads
    where `ingest.source` is a path, lower case.
    """

    uses: ClassVar[frozenset[str]]
    files: ClassVar[bool] = False
    fits: ClassVar[tuple[str, ...]] = ()
    endings: ClassVar[tuple[str, ...]] = ()

    class Config(config.Config):
        """argument: what stands behind the colon, or the path. root: where files lie. download: may it fetch them.

        classes: which folders are classes, where names alone would mislead; None: the source says.
        suffixes: endings of the files that are samples; none: any. columns: of a table, which is what; origin: the one
        that says what samples are of, such as a speaker.
        """

        argument: str = ""
        root: Path = Path("data/raw")
        download: bool = False
        classes: list[str] | None = None
        suffixes: frozenset[str] = frozenset()
        columns: Columns = Columns()
        origin: str | None = None

    def __init__(self, config: Config) -> None:
        self.config = config

    @abstractmethod
    def classes(self) -> list[str]:
        """All classes there are, sorted, those without a sample included; empty where nothing is labeled."""

    def notices(self) -> list[str]:
        """What a person should know of how `classes` were found, a sentence each."""
        return []

    @abstractmethod
    def count(self) -> int:
        """How many things `items` will yield, for the progress bar."""

    @abstractmethod
    def items(self) -> Iterator[Item | Rejected]:
        """All samples, one at a time."""


def unused_by(name: str) -> dict[str, str]:
    """Settings of `ingest` that the source `name` has no use for, and why."""
    source = source_class(name)
    return {setting: f"ingest.source is '{name}'" for setting in ASKED if setting not in source.uses}


def source_class(name: str) -> type[Source]:
    """The plug-in that `ingest.source` names."""
    found: type[Source] = plugins.load("source", _named(name)[0])
    return found


def _named(name: str) -> tuple[str, str]:
    """The plug-in and its argument; of a path, the plug-in that reads files of its ending, else `folder`."""
    plugin, _, argument = name.partition(":")
    if plugin in plugins.names("source"):
        return plugin, argument
    ending = Path(name).suffix.casefold()
    readers = (one for one in plugins.names("source") if ending in plugins.load("source", one).endings)
    return next(readers, "folder") if ending and not Path(name).is_dir() else "folder", name


def place_of(name: str, root: Path) -> Path | None:
    """The folder or archive that the source `name` reads; None where it reads none.

    Raises WinnowError where that holds the project, whose own files change while it is read.
    """
    plugin, colon, argument = name.partition(":")
    if plugin not in plugins.names("source"):
        place = Path(name)
    elif source_class(name).files or source_class(name).endings:
        place = Path(argument)
    elif colon:
        place = root
    else:
        return None
    if place.exists() and any(own.resolve().is_relative_to(place.resolve()) for own in (Path(), Path("data"))):
        raise WinnowError(
            f"ingest.source '{name}': {place} holds this project itself: name the folder in which the pictures are."
        )
    return place


def open_source(
    name: str,
    *,
    root: Path,
    download: bool,
    classes: list[str] | None = None,
    suffixes: frozenset[str] = frozenset(),
    columns: Columns | None = None,
    origin: str | None = None,
    kind: str = "",
) -> Source:
    """`digits`, `torchvision:FashionMNIST`, or a path to a folder, to an archive of one, or to a table.

    kind: of the views that the data is to give. Raises WinnowError when there is no such source, it has another kind of
    data, or the archive must not be unpacked.
    """
    plugin, argument = _named(name)
    if argument == name and is_archive(Path(name)):
        argument = str(unpack(Path(name)))
    place: dict[str, Any] = {"argument": argument, "root": root, "download": download, "columns": columns or Columns()}
    if origin is not None and "columns" not in source_class(name).uses:
        raise WinnowError(f"ingest.group.column names '{origin}', and {name} is no table: say a pattern of its paths.")
    asked = {"classes": classes, "suffixes": suffixes, "origin": origin}
    choice = PluginChoice.model_validate({"name": plugin, **place, **asked})
    source: Source = plugins.build("source", choice, where="ingest", kind=kind)
    return source
