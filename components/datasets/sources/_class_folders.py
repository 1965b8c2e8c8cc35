"""Which folders are classes; and what is said or refused where they look like none."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from components.core.config import did_you_mean
from components.core.errors import WinnowError
from components.datasets.names import normal, skeleton
from components.datasets.other_files import is_hidden, why_left_out
from components.datasets.sources._reserved import UNLABELED, is_doubtful, is_unlabeled, near_miss, split_of

_NAMED = 4  # folders in a sentence
_WAY_OUT = "or name the class folders in ingest.classes, if they are"


def find_classes(folder: Path, homes: list[Path], named: list[str] | None, suffixes: frozenset[str]) -> list[str]:
    """Names of the class folders in `homes`, sorted; `named`: those that a person says there are, or None.

    Raises WinnowError for a folder that is not among the named ones, and, where none are named, for one that is nearly
    a reserved name or another class, and for folders whose shape says that the classes lie elsewhere.
    """
    entries = [entry for home in homes for entry in class_folders(home, suffixes)]
    found = sorted({normal(storable(entry.name)) for entry in entries})
    if named is not None:
        _check_named(folder, found, sorted({normal(name) for name in named}))
    else:
        _check_names(folder, found)
        _check_shape(folder, entries)
    if len(found) == 1:
        raise WinnowError(_one_class(folder, entries[0]))
    return found


def odd_folders(homes: list[Path], named: list[str] | None, suffixes: frozenset[str]) -> list[str]:
    """A sentence each: folders that were taken for one class, for no class, or for a class with some doubt."""
    said = []
    for home in homes:
        spelled: dict[str, list[str]] = {}
        for entry in class_folders(home, suffixes):
            spelled.setdefault(normal(storable(entry.name)), []).append(entry.name)
        said += [f"{len(raw)} folders in {home} are one class, '{name}'." for name, raw in spelled.items() if raw[1:]]
        said += [
            f"{entry.path} holds no samples, so it is no class."
            for entry in _folders(home)
            if holds_no_samples(entry, suffixes)
        ]
        said += [
            f"'{name}' is taken for a class; samples without one belong into '{UNLABELED}'."
            for name in sorted(spelled)
            if is_doubtful(name) and name not in (named or [])
        ]
    return list(dict.fromkeys(said))


def holds_no_samples(entry: "os.DirEntry[str]", suffixes: frozenset[str]) -> bool:
    """Whether the folder holds files, but none that may be a sample: annotations, tables, notes."""
    names = _file_names(entry.path)
    first = next(names, None)
    return first is not None and all(why_left_out(name, suffixes) for name in (first, *names))


def storable(name: str) -> str:
    """As text that can be stored whatever bytes the name holds."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def class_folders(home: Path, suffixes: frozenset[str]) -> list["os.DirEntry[str]"]:
    """Folders in `home` that may be classes: neither hidden, nor `unlabeled`, nor without any sample."""
    return [entry for entry in _folders(home) if not is_unlabeled(entry.name) and not holds_no_samples(entry, suffixes)]


def _folders(place: "Path | os.DirEntry[str]") -> list["os.DirEntry[str]"]:
    with os.scandir(place) as entries:
        folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False) and not is_hidden(entry.name)]
    return sorted(folders, key=lambda entry: entry.name)


def _file_names(folder: str) -> Iterator[str]:
    for _, below, names in os.walk(folder):
        below[:] = [name for name in below if not is_hidden(name)]
        yield from (name for name in names if not is_hidden(name))


def _check_named(folder: Path, found: list[str], named: list[str]) -> None:
    for name in named:
        if name not in found:
            raise WinnowError(
                f"ingest.classes names '{name}', no class folder in {folder}: {did_you_mean(name, found)}"
            )
    for name in found:
        if name not in named:
            raise WinnowError(
                f"{folder} has a folder '{name}' that ingest.classes does not name: add it there, name it "
                f"'{UNLABELED}', or move it away."
            )


def _check_names(folder: Path, found: list[str]) -> None:
    for name in found:
        if not name:
            raise WinnowError(f"{folder} has a folder with a blank name: give it the name of its class.")
        if split_of(name):
            raise WinnowError(
                f"{folder} has '{name}' where class folders are expected: move what is in it up, {_WAY_OUT} classes."
            )
        if meant := near_miss(name):
            raise WinnowError(
                f"{folder} has a folder '{name}', which looks like {meant}: rename it to {meant}, {_WAY_OUT} classes."
            )
    for look, count in Counter(map(_look, found)).items():
        if count > 1:
            twins = ", ".join(repr(other) for other in found if _look(other) == look)
            raise WinnowError(
                f"{folder} has {twins}, alike but for upper case, blanks, dashes or letters of another alphabet: make "
                f"them one folder, {_WAY_OUT} classes."
            )


def _look(name: str) -> str:
    """What names that look alike have in common; of one without a letter, itself."""
    return skeleton(name) or name


def _check_shape(folder: Path, entries: list["os.DirEntry[str]"]) -> None:
    """Folders that all hold folders, some of them the same, are places or parts; what they hold are the classes."""
    inside: dict[str, set[str]] = {}
    for entry in entries:
        below = {normal(storable(one.name)) for one in _folders(entry)}
        inside.setdefault(normal(storable(entry.name)), set()).update(below)
    counts = Counter(name for names in inside.values() for name in names)
    shared = sorted(name for name, count in counts.items() if count > 1)
    if all(inside.values()) and len(counts) > 1 and shared:
        outer = _listed(sorted(inside))
        raise WinnowError(
            f"{folder} has {outer}, which hold the same folders {_listed(shared)}: those look like the classes or "
            f"parts, so put the class folders on top (or into 'train' and 'test'), {_WAY_OUT} {outer}."
        )


def _one_class(folder: Path, entry: "os.DirEntry[str]") -> str:
    name, below = normal(storable(entry.name)), _folders(entry)
    if below and Path(entry.path).parent == folder:
        inner = _listed([normal(storable(one.name)) for one in below])
        return (
            f"{folder} has one folder, '{name}', with {inner} inside: name that one, ingest.source: {entry.path}, "
            f"or call it '{UNLABELED}' if these samples have no class yet."
        )
    return (
        f"{folder} has one class folder, '{name}': a classifier needs at least two; "
        f"name it '{UNLABELED}' if these samples have no class yet."
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(repr(name) for name in names[:_NAMED]) + more
