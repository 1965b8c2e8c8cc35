"""Which classes there are and how each is spelled; and what `label` says of rows and budgets."""

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from shlex import quote

import pandas as pd

from components.core.config import did_you_mean
from components.core.errors import WinnowError
from components.core.terminal import short
from components.datasets.ledger import read_ledger, without_effect
from components.datasets.names import likely_slip, skeleton
from components.datasets.rules import Rule

_NAMED = 5  # lines, names in a sentence


def settle_classes(
    setting: Sequence[str] | None, known: list[str], kept: Collection[str], rows: pd.DataFrame, ledger: Path
) -> list[str]:
    """All classes, sorted: the setting's, which must hold the source's, else the source's, else the ledger's.

    kept: classes that the source revealed once, which count too. Raises WinnowError for rows of another class, and,
    where nobody fixed the classes, for classes that are likely others misspelled.
    """
    lacks = sorted({*known, *kept} - set(setting)) if setting else []
    if lacks:
        raise WinnowError(f"label.classes lacks '{short(lacks[0])}', which the source has samples of: add it there.")
    if not (setting or known):
        _refuse_misspelled(rows, ledger)
        return sorted({*rows["label"], *kept})
    fixed = sorted({*(setting or known), *kept})
    _refuse_unknown(rows[~rows["label"].isin(fixed)], fixed, ledger)
    return fixed


def settle_rules(rules: Sequence[Rule], classes: list[str], table: Path, *, fixed: bool) -> list[str]:
    """All classes, sorted: those of the labels, and where nobody fixed them, those that rules speak for, too.

    Raises WinnowError for a rule whose class there is not, or that is likely one of the labels' misspelled.
    """
    for rule in rules:
        slip = next((name for name in classes if likely_slip(rule.label, 0, name, 1)), "") if not fixed else ""
        if rule.label not in classes and (fixed or slip):
            near = f"did you mean '{short(slip)}'? " if slip else did_you_mean(rule.label, classes)
            raise WinnowError(f"{table}, {rule.said}: there is no class '{short(rule.label)}': {near.strip()}")
    return sorted({*classes, *(rule.label for rule in rules)})


def say_what_counts(
    budget: int | None, order: Sequence[str], before: dict[str, str], record: dict[str, str], ledger: Path, tests: int
) -> None:
    """On standard error: labels beyond the budget, revealed ones that are gone, rows for test samples or in vain."""
    spent = len({*order, *before})
    lost = len(record) - len(before)
    said = []
    if budget is not None and spent > budget:
        said.append(
            f"{spent} labels are in force, {spent - budget} beyond label.budget ({budget}): what was looked at always "
            f"counts; raise label.budget above {spent} to have the source reveal more, where it knows any."
        )
    if lost:
        what = _counted(lost, "label revealed earlier is of a sample", "labels revealed earlier are of samples")
        said.append(f"{what} gone from training: kept on record, not counted.")
    if tests:
        what = _counted(tests, "sample in the ledger is a test sample", "samples in the ledger are test samples")
        them = "it" if tests == 1 else "them"
        said.append(f"{what}: evaluate measures by {them}, nothing learns from {them}.")
    rows = read_ledger(ledger)
    for sentence in [*said, *_in_vain(rows), *_twin_annotators(rows)]:
        print(f"  label: {sentence}", file=sys.stderr)


def _in_vain(rows: pd.DataFrame) -> list[str]:
    vain = without_effect(rows)
    what = {
        "repeats": ("ledger row repeats what stood there", "ledger rows repeat what stood there"),
        "withdrawals": ("ledger row withdraws what was not there", "ledger rows withdraw what was not there"),
        "older": (
            "ledger row is older by its `at` than one above it, of the same annotator for the same id",
            "ledger rows are older by their `at` than ones above them, of the same annotator for the same id",
        ),
    }
    return [
        f"{_counted(len(vain[kind]), *words)}, without effect ({_lines(vain[kind])})."
        for kind, words in what.items()
        if vain[kind]
    ]


def _twin_annotators(rows: pd.DataFrame) -> list[str]:
    names = pd.Series(sorted(set(rows["annotator"])), dtype="str")
    twins = [
        " and ".join(f"'{short(one)}'" for one in group)
        for _, group in names.groupby(names.map(skeleton))
        if len(group) > 1
    ]
    if not twins:
        return []
    return [f"annotators whose names look alike count as different people: {_listed(twins)}."]


def _refuse_unknown(rows: pd.DataFrame, fixed: list[str], ledger: Path) -> None:
    if rows.empty:
        return
    told = [
        f"{_lines(group['line'])}: unknown class '{short(name)}'"
        + (f" ({len(group)} labels)" if len(group) > 1 else "")
        + _cure(str(name), fixed)
        for name, group in rows.groupby("label")
    ]
    raise WinnowError(f"{ledger}, {_listed(told, '; ')}. Choose from {_listed(fixed)}.")


def _cure(name: str, fixed: list[str]) -> str:
    same = [one for one in fixed if skeleton(one) == skeleton(name)]
    near = (same or get_close_matches(name, fixed, n=1))[:1]
    return f": did you mean '{short(near[0])}'? {_rename(name, near[0])}" if near else ""


def _refuse_misspelled(rows: pd.DataFrame, ledger: Path) -> None:
    counts = Counter(rows["label"])
    order = counts.most_common()  # of equal ones the earlier in the file first
    told = []
    for place, (name, count) in enumerate(order):
        larger = next((one for one, more in order[:place] if likely_slip(name, count, one, more)), None)
        if larger is not None:
            lines = _lines(rows.loc[rows["label"] == name, "line"])
            told.append(
                f"{lines}: the class '{short(name)}' ({count}) is likely '{short(larger)}' ({counts[larger]}): "
                f"{_rename(name, larger)}"
            )
    if told:
        raise WinnowError(f"{ledger}, {_listed(told, '; ')}; or, if all are meant, list them in label.classes.")


def _rename(old: str, new: str) -> str:
    return f"`winnow label rename {quote(old)} {quote(new)}`"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _lines(lines: Iterable[int]) -> str:
    return f"line {_listed([str(line) for line in sorted(lines)])}"


def _listed(parts: list[str], between: str = ", ") -> str:
    return between.join(parts[:_NAMED]) + (f"{between}..." if len(parts) > _NAMED else "")
