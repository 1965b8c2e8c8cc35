"""The table of rules: patterns that speak for a class, written by people as weak labels; text in git, no code."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from components.core.errors import WinnowError
from components.core.integrity import MARKERS
from components.core.spreadsheet import plain
from components.core.terminal import short
from components.datasets.names import normal, unprintable

COLUMNS = ("kind", "pattern", "class", "name")
LONGEST, MOST = 1_000, 2_000  # characters of a pattern, rules


@dataclass(frozen=True)
class Rule:
    """What is looked for, how (`kind` of pattern), and the class it speaks for. line: where it ends in the table."""

    kind: str
    pattern: str
    label: str
    name: str
    line: int

    @property
    def said(self) -> str:
        """The rule in a sentence."""
        return f"line {self.line} ('{short(self.name)}')"


def read_rules(path: Path) -> list[Rule]:
    """All rules in file order; one without a name is called by its pattern. Blank rows are skipped.

    Raises WinnowError naming the line of the first row that is no rule, or that repeats another.
    """
    if not path.is_file():
        raise WinnowError(f"{path} is missing: restore it from git, or write one with the line {','.join(COLUMNS)}.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = list(_rules(file, str(path)))
    except UnicodeDecodeError:
        raise WinnowError(f"{path} is not UTF-8 text: save it as CSV in UTF-8.") from None
    if len(found) > MOST:
        raise WinnowError(f"{path} holds {len(found):,} rules, more than {MOST:,}: join patterns of one class by `|`.")
    first: dict[tuple[str, str, str], Rule] = {}
    for rule in found:
        twin = first.setdefault((rule.kind, rule.pattern, rule.label), rule)
        if twin is not rule:
            raise WinnowError(f"{path}, line {rule.line}: it repeats line {twin.line}: delete one of them.")
    return found


def _rules(file: Iterable[str], where: str) -> Iterator[Rule]:
    reader = csv.reader(file, strict=True)
    headed = False
    try:
        for fields in reader:
            line = f"{where}, line {reader.line_num}"
            if not "".join(fields).strip():
                continue
            if fields[0].startswith(MARKERS):
                raise WinnowError(
                    f"{line}: a conflict marker of git: keep the rules of both sides, delete the markers."
                )
            if not headed:
                headed = _headed(fields, line)
            else:
                yield _rule(fields, line, reader.line_num)
    except csv.Error as error:
        raise WinnowError(f"{where}, line {reader.line_num}: not valid CSV ({error}): close the quote there.") from None
    if not headed:
        raise WinnowError(f"{where} is empty: its first line must be {','.join(COLUMNS)}.")


def _headed(fields: list[str], line: str) -> bool:
    names = [name.strip() for name in fields]
    while len(names) > len(COLUMNS) and not names[-1]:
        names.pop()
    if names not in (list(COLUMNS), list(COLUMNS[:3])):
        raise WinnowError(f"{line}: the columns must be {','.join(COLUMNS)}, not {short(','.join(fields))}.")
    return True


def _rule(fields: list[str], line: str, number: int) -> Rule:
    filled = fields + [""] * (len(COLUMNS) - len(fields))
    if len(fields) < len(COLUMNS) - 1 or "".join(filled[len(COLUMNS) :]).strip():
        raise WinnowError(
            f"{line}: {len(fields)} of {len(COLUMNS)} fields ({','.join(COLUMNS)}): put quotes around commas."
        )
    kind, pattern, label, name = (plain(text.strip()) for text in filled[: len(COLUMNS)])
    rule = Rule(kind, pattern, normal(label), normal(name) or pattern, number)
    for column, text in zip(COLUMNS, (rule.kind, rule.pattern, rule.label), strict=False):
        if not text:
            raise WinnowError(f"{line}, column {column}: empty, but every rule has one.")
    for column, text in (("class", rule.label), ("name", rule.name)):
        if odd := unprintable(text):
            raise WinnowError(f"{line}, column {column}: it holds a character that cannot be seen (U+{ord(odd):04X}).")
    if len(pattern) > LONGEST:
        raise WinnowError(
            f"{line}, column pattern: {len(pattern):,} characters, more than {LONGEST:,}: make it two rules."
        )
    return rule
