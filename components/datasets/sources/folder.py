"""A folder of files: `<class>/*` or `train|test/<class>/*`, each with an optional `unlabeled/*`."""

import os
from collections.abc import Iterator
from pathlib import Path

from components.core.config import hint
from components.core.errors import WinnowError
from components.core.plugins import names
from components.datasets.names import normal
from components.datasets.other_files import is_hidden, why_left_out
from components.datasets.sources import Item, Rejected, Source, Split
from components.datasets.sources._class_folders import class_folders, find_classes, odd_folders, storable
from components.datasets.sources._reserved import is_unlabeled, near_miss, split_of


class Folder(Source):
    """Reads whatever files it finds, at any depth below the class; the content says whether a file is a sample.

    With `train` and one of `test`, `val`, `valid`, `validation` the folder says the split; with `train` alone, or with
    neither, ingest splits. What lies in `unlabeled`, or beside the class folders, has no class; `unlabeled` is for
    training alone, unless it lies in `test`. Links are never followed, hidden folders never opened.
    """

    uses = frozenset({"classes", "test_fraction"})
    files = True

    def __init__(self, config: Source.Config) -> None:
        super().__init__(config)
        self.folder = Path(config.argument)
        if not self.folder.is_dir():
            raise WinnowError(_no_folder(config.argument))
        self._splits = self._split_folders()

    def classes(self) -> list[str]:
        return find_classes(self.folder, self._homes(), self.config.classes, self.config.suffixes)

    def notices(self) -> list[str]:
        return odd_folders(self._homes(), self.config.classes, self.config.suffixes)

    def count(self) -> int:
        return sum(1 for _ in self.items())

    def items(self) -> Iterator[Item | Rejected]:
        for entry in _walk(self.folder):
            relative = _relative(entry.path, self.folder)
            if reason := _unsafe(entry):
                yield Rejected(relative, "unsafe", reason)
            elif entry.is_dir():
                yield Rejected(relative, "no_picture", "a hidden folder: not looked into.")
            elif reason := why_left_out(entry.name, self.config.suffixes):
                yield Rejected(relative, "no_picture", reason)
            else:
                yield self._item(relative, Path(entry.path))

    def _homes(self) -> list[Path]:
        """The folders that hold the class folders."""
        return [self.folder / name for name in self._splits] or [self.folder]

    def _split_folders(self) -> dict[str, Split]:
        """Names of the folders on top that are splits, and which; empty where the folder does not say."""
        top = {entry.name for entry in class_folders(self.folder, self.config.suffixes)}
        splits = {name: split for name in sorted(top) if (split := split_of(name))}
        if not splits:
            return {}
        strangers = sorted(top - set(splits))
        if strangers or "train" not in splits.values():
            meant = near_miss(strangers[0]) if strangers else ""
            odd = f"also '{strangers[0]}'" if strangers else "no 'train'"
            odd += f", which looks like {meant}" if meant else ""
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
        unlabeled = bool(below) and is_unlabeled(below[0])
        label = normal(below[0]) if below and not unlabeled else None
        if unlabeled:
            split = split or "train"
        elif not says:
            split = None
        elif split is None:
            split = "train"  # beside the split folders
        return Item(relative, path, label, split)


def _no_folder(name: str) -> str:
    if Path(name).exists():
        what = (
            "a file but none of .csv, .tsv, .jsonl, .parquet (texts), .zip, .tar, .tar.gz, .tgz"
            if Path(name).is_file()
            else "a device, pipe or socket"
        )
        return f"ingest.source '{name}' is {what}: name a folder, or an archive of one."
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
                if entry.is_dir(follow_symlinks=False) and not is_hidden(entry.name):
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


def _relative(path: str, folder: Path) -> str:
    """As text that can be stored whatever bytes the name holds."""
    return storable(os.path.relpath(path, folder))
