"""A table of texts, one a row: .csv, .tsv, .jsonl or .parquet, with a class, a split and a name where it has them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from components.core.config import did_you_mean
from components.core.errors import WinnowError
from components.datasets.names import normal, skeleton, unprintable
from components.datasets.sources import Item, Rejected, Source
from components.datasets.sources._reserved import SPLITS, is_unlabeled, may_be_missing, split_of
from components.datasets.sources._tables import Row, open_table
from components.datasets.sources._tables import Table as Rows

TEXTS = ("text", "texts", "content", "body", "review", "message", "sentence", "document", "comment", "post", "tweet")
LABELS = ("label", "label_name", "class", "category", "target", "sentiment")
SPLIT_NAMES, IDS = ("split",), ("id",)
MOST_CLASSES = 1000
_LISTED = 12
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")


class Table(Source):
    """Reads a row at a time, three times over: what classes there are and how it is written must be known first.

    Which columns hold what `ingest.columns` says, else their names; no other column is read. A row without a class is
    unlabeled. A sample's path is its row, counted from 1 below the header, or what stands in the column `id`.
    """

    fits: ClassVar[tuple[str, ...]] = ("tokens",)
    uses = frozenset({"columns", "test_fraction"})
    endings: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
    holds = "texts"  # in the column that there must be
    known: ClassVar[tuple[str, ...]] = TEXTS
    others: ClassVar[tuple[str, ...]] = ()  # columns that hold neither

    def __init__(self, config: Source.Config) -> None:
        super().__init__(config)
        self.path = Path(config.argument)
        if not self.path.is_file():
            raise WinnowError(f"ingest.source '{config.argument}' is no file: check the path, which starts from here.")
        self._rows: Rows = open_table(self.path)
        names = self._rows.columns
        self._texts = self._wanted("text", self.known, names) or self._only_one_left(names)
        self._label, self._split, self._id = (
            next(iter(self._wanted(what, known, names)), None)
            for what, known in (("label", LABELS), ("split", SPLIT_NAMES), ("id", IDS))
        )
        self._no_class = frozenset(map(normal, config.columns.unlabeled or []))
        if self._no_class and self._label is None:
            raise WinnowError(
                f"ingest.columns.unlabeled says which cells are no class, and {self.path.name} has no column of "
                "classes: name it in ingest.columns.label, or take unlabeled out."
            )
        self._origin = self._named_origin(names)
        own = [self._origin] if self._origin not in (*self._texts, self._label, self._split, self._id) else []
        self._rows.used = list(self._once_each([*self._texts, self._label, self._split, self._id, *own]))

    def classes(self) -> list[str]:
        return sorted(self._survey)

    def notices(self) -> list[str]:
        named = {"class": self._label, "split": self._split, "id": self._id, "origin": self._origin}
        said = {self.holds[:-1]: " and ".join(self._texts), **named}
        read = ", ".join(f"{what} from '{name}'" for what, name in said.items() if name)
        unread = [name for name in self._rows.columns if name not in self._rows.used]
        listed = ", ".join(f"'{name}'" for name in unread[:_LISTED]) + (", ..." if len(unread) > _LISTED else "")
        rest = f"; not read: {listed}" if unread else ""
        self._survey  # noqa: B018 - counts
        cells = [f"'{name}' in {count:,} rows" for name, count in sorted(self._no_classes.items())]
        missing = [f"{self.path.name}: {' and '.join(cells)} of '{self._label}' means no class."] if cells else []
        return [f"{self.path.name}: {read}{rest}.", *self._rows.notices, *missing]

    def column_names(self) -> list[str]:
        """All columns of the file, read or not."""
        return list(self._rows.columns)

    def count(self) -> int:
        self._survey  # noqa: B018 - counts
        return self._count

    def items(self) -> Iterator[Item | Rejected]:
        width, seen = len(str(self.count())), set[str]()
        for number, row in enumerate(self._rows, 1):
            path = f"{self.path.stem}/{number:0{width}d}"
            if isinstance(row, str):
                yield Rejected(path, "unreadable", row)
                continue
            if self._id is not None:
                path = self._named(row, number, seen)
            text = "\n".join(row.get(name) or "" for name in self._texts)
            content = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
            yield Item(path, content, self._class_of(row), self._split_of(row, number), self._origin_of(row))

    @cached_property
    def _survey(self) -> Counter[str]:
        """How many rows of each class there are. Raises WinnowError where they can be no classes."""
        counts, self._no_classes, self._count = Counter[str](), Counter[str](), 0
        for row in self._rows:
            self._count += 1
            label = None if isinstance(row, str) else self._cell(row)
            if label in self._no_class:
                self._no_classes[label] += 1
                continue
            if not label or is_unlabeled(label):
                continue
            if label not in counts and unprintable(label):
                raise WinnowError(
                    f"{self.path.name} names a class {label[:40]!a} in '{self._label}' of row {self._count}, with a "
                    "character that shows nothing: give it a plain name."
                )
            counts[label] += 1
        self._check_classes(counts)
        return counts

    def _check_classes(self, counts: Counter[str]) -> None:
        if len(counts) > MOST_CLASSES or (len(counts) > _LISTED and 2 * len(counts) > counts.total()):
            raise WinnowError(
                f"{self.path.name} has {len(counts):,} values in '{self._label}' of {counts.total():,} texts, "
                "which are no classes: name the column that holds them in ingest.columns.label, or '' if none does."
            )
        self._check_missing(counts)
        if alike := next((group for group in _alike(counts) if len(group) > 1), None):
            raise WinnowError(
                f"{self.path.name} has the classes {', '.join(map(repr, alike))} in '{self._label}', alike but for "
                "upper case, blanks, dashes or letters of another alphabet: write them the same way."
            )
        if len(counts) == 1:
            raise WinnowError(
                f"{self.path.name} has one class, '{next(iter(counts))}', in '{self._label}': a classifier needs at "
                "least two; set ingest.columns.label to '' if these texts have no class yet."
            )

    def _check_missing(self, counts: Counter[str]) -> None:
        """Nobody but a person knows whether `None` is a class."""
        if self.config.columns.unlabeled is None and (doubtful := sorted(filter(may_be_missing, counts))):
            cells = " and ".join(f"'{name}' ({counts[name]:,} rows)" for name in doubtful[:_LISTED])
            raise WinnowError(
                f"{self.path.name} has {cells} in '{self._label}': say which cells mean that there is no class by "
                f"ingest.columns.unlabeled: [{', '.join(map(repr, doubtful[:_LISTED]))}] (`winnow texts` has "
                "--unlabeled), or by [] that they are classes."
            )
        for name in sorted(self._no_class - self._no_classes.keys()):
            raise WinnowError(
                f"ingest.columns.unlabeled names '{name}', which no row of {self.path.name} says in '{self._label}': "
                f"{did_you_mean(name, sorted(counts))}"
            )

    def _wanted(self, what: str, known: tuple[str, ...], names: list[str]) -> list[str]:
        """The columns of one use: those the settings name, else the first of a known name; none for ''."""
        asked = getattr(self.config.columns, what)
        if asked is None:
            found = {normal(name).casefold(): name for name in reversed(names)}
            return next(([found[name]] for name in known if name in found), [])
        listed = [asked] if isinstance(asked, str) else asked
        if what == "text" and not any(listed):
            raise WinnowError("ingest.columns.text names no column: name those with the texts, or take it out.")
        for name in listed:
            if name and name not in names:
                raise WinnowError(
                    f"ingest.columns.{what} names '{name}', no column of {self.path.name}: {did_you_mean(name, names)}"
                )
        return [name for name in listed if name]

    def _once_each(self, names: list[str | None]) -> Iterator[str]:
        seen = set[str]()
        for name in names:
            if name in seen:
                raise WinnowError(f"'{name}' of {self.path.name} is asked for twice in ingest.columns: once is enough.")
            if name is not None:
                seen.add(name)
                yield name

    def _only_one_left(self, names: list[str]) -> list[str]:
        others = {
            name
            for what, known in (("label", LABELS), ("split", SPLIT_NAMES), ("id", IDS))
            for name in self._wanted(what, known, names)
        }
        left = [name for name in names if name not in others and name.casefold() not in self.others]
        if len(left) != 1:
            shown = ", ".join(f"'{name}'" for name in names[:_LISTED])
            raise WinnowError(
                f"{self.path.name} has the columns {shown}, and none is named like {self.holds} (such as "
                f"'{self.known[0]}' or '{self.known[4]}'): name the one that holds them in ingest.columns.text; "
                "a file without a line of names needs one."
            )
        return left

    def _named_origin(self, names: list[str]) -> str | None:
        if (origin := self.config.origin) is not None and origin not in names:
            raise WinnowError(
                f"ingest.group.column names '{origin}', no column of {self.path.name}: {did_you_mean(origin, names)}"
            )
        return origin

    def _origin_of(self, row: Row) -> str | None:
        return row.get(self._origin) if self._origin is not None else None

    def _class_of(self, row: Row) -> str | None:
        name = self._cell(row)
        return name if name and name not in self._no_class and not is_unlabeled(name) else None

    def _cell(self, row: Row) -> str:
        return normal(row.get(self._label) or "") if self._label is not None else ""

    def _split_of(self, row: Row, number: int):  # type: ignore[no-untyped-def]
        said = (row.get(self._split) or "").strip() if self._split is not None else ""
        if not said:
            return None
        if (split := split_of(said)) is None:
            raise WinnowError(
                f"{self.path.name} says '{said[:60]}' in '{self._split}' of row {number}: a split is one of "
                f"{', '.join(SPLITS)}, or empty; set ingest.columns.split to '' if this column says something else."
            )
        return split

    def _named(self, row: Row, number: int, seen: set[str]) -> str:
        name = normal(row.get(str(self._id)) or "")
        if not name or name in seen:
            raise WinnowError(
                f"{self.path.name} has {'nothing' if not name else repr(name[:60]) + ' again'} in '{self._id}' of row "
                f"{number}: ids name one row each; name another column in ingest.columns.id, or '' for row numbers."
            )
        seen.add(name)
        return name


def _alike(names: Iterable[str]) -> Iterable[list[str]]:
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        number = _NUMBER.fullmatch(name)  # -1 and 1 are two
        groups.setdefault(name if number else skeleton(name) or name, []).append(name)
    return groups.values()
