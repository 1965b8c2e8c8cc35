"""A folder of pictures: `<class>/*` or `train|test/<class>/*`, each with an optional `unlabeled/*`."""

import os
from collections.abc import Iterator
from pathlib import Path

from components.core.config import hint
from components.core.errors import WinnowError
from components.core.registry import names
from components.datasets.names import normal
from components.datasets.sources import Item, Rejected, Source, Split

SPLITS: dict[str, Split] = {"train": "train", "test": "test", "val": "test", "valid": "test", "validation": "test"}
UNLABELED = "unlabeled"


class Folder(Source):
    """Reads whatever files it finds, at any depth below the class; the content says whether a file is a picture.

    With `train` and one of `test`, `val`, `valid`, `validation` the folder says the split; with `train` alone, or with
    neither, ingest splits. What lies in `unlabeled`, or beside the class folders, has no class; `unlabeled` is for
    training alone, unless it lies in `test`. Links are never followed, hidden folders never opened.
    """

    def __init__(self, config: Source.Config) -> None:
        super().__init__(config)
        self.folder = Path(config.argument)
        if not self.folder.is_dir():
            raise WinnowError(_no_folder(config.argument))
        self._splits = self._split_folders()

    def classes(self) -> list[str]:
        homes = [self.folder / name for name in self._splits] or [self.folder]
        found = {_text(entry.name) for home in homes for entry in os.scandir(home) if _is_class(entry)}
        if len(found) == 1:
            raise WinnowError(
                f"{self.folder} has one class folder, '{found.pop()}': a classifier needs at least two; "
                f"name it '{UNLABELED}' if these pictures have no class yet."
            )
        return sorted(found)

    def count(self) -> int:
        return sum(1 for _ in self.items())

    def items(self) -> Iterator[Item | Rejected]:
        for entry in _walk(self.folder):
            relative = _relative(entry.path, self.folder)
            reason = _unsafe(entry)
            if reason:
                yield Rejected(relative, "unsafe", reason)
            elif entry.is_dir():
                yield Rejected(relative, "unreadable", "a hidden folder: not looked into.")
            else:
                yield self._item(relative, Path(entry.path))

    def _split_folders(self) -> dict[str, Split]:
        """Names of the folders on top that are splits, and which; empty where the folder does not say."""
        top = {entry.name for entry in os.scandir(self.folder) if entry.is_dir(follow_symlinks=False)}
        splits = {name: SPLITS[name.lower()] for name in sorted(top) if name.lower() in SPLITS}
        if not splits:
            return {}
        strangers = sorted(name for name in top - set(splits) if not _hidden(name) and name != UNLABELED)
        if strangers or "train" not in splits.values():
            odd = f"also '{strangers[0]}'" if strangers else "no 'train'"
            raise WinnowError(
                f"{self.folder} has {', '.join(repr(name) for name in splits)} but {odd}: use either class folders, or "
                "'train' and 'test' with the class folders inside."
            )
        return splits

    def _item(self, relative: str, path: Path) -> Item:
        parts = relative.split("/")
        split = self._splits.get(parts[0])
        says = "test" in self._splits.values()
        below = parts[1:-1] if split else parts[:-1]
        label = _text(below[0]) if below and below[0] != UNLABELED else None
        if below and below[0] == UNLABELED:
            split = split or "train"
        elif not says:
            split = None
        elif split is None:
            split = "train"  # beside the split folders
        return Item(relative, path, label, split)


def _no_folder(name: str) -> str:
    if Path(name).exists():
        return f"ingest.source '{name}' is a file but no .zip or .tar: name a folder of pictures, or an archive of one."
    near = hint(name, names("source"))
    return (
        f"ingest.source '{name}' is neither a built-in source (digits, torchvision:NAME) nor a folder: {near}check "
        "the path, which starts from the project's folder."
    )


def _walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every file, link and hidden folder below `folder`, without following or opening the last two."""
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False) and not _hidden(entry.name):
                    waiting.append(entry.path)
                else:
                    yield entry


def _unsafe(entry: os.DirEntry[str]) -> str:
    """Why this entry must not be opened, or nothing."""
    if entry.is_symlink():
        return "a symbolic link: links are not followed; put the file itself here."
    if not entry.is_dir(follow_symlinks=False) and not entry.is_file(follow_symlinks=False):
        return "a device, pipe or socket, not a file."
    return ""


def _is_class(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) and not _hidden(entry.name) and entry.name != UNLABELED


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _relative(path: str, folder: Path) -> str:
    """As text that can be stored whatever bytes the name holds."""
    return os.fsencode(os.path.relpath(path, folder)).decode("utf-8", "backslashreplace")


def _text(name: str) -> str:
    """A class's name in normal form, so that the same accent typed on two systems is one class."""
    return normal(os.fsencode(name).decode("utf-8", "backslashreplace"))
