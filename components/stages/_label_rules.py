"""Which classes there are and how each is spelled; and what `label` says of rows and budgets."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from components.core.config import nearest
from components.core.errors import WinnowError
from components.datasets.ledger import read_ledger, without_effect
from components.datasets.names import alike

_NAMED = 5  # lines in a sentence


def settle_classes(setting: Sequence[str] | None, known: list[str], rows: pd.DataFrame, ledger: Path) -> list[str]:
    """All classes, sorted: the setting's, which must hold the source's, else the source's, else the ledger's.

    Raises WinnowError for a row of another class, and, where nobody fixed the classes, for a class that is likely a
    larger one misspelled.
    """
    lacks = sorted(set(known) - set(setting or known))
    if lacks:
        raise WinnowError(f"label.classes lacks '{lacks[0]}', which the source has pictures of: add it there.")
    fixed = sorted({*(setting or known)})
    if not fixed:
        _refuse_misspelled(rows, ledger)
        return sorted(set(rows["label"]))
    unknown = rows[~rows["label"].isin(fixed)]
    if len(unknown):
        line, label = unknown.iloc[0][["line", "label"]]
        others = f" ({len(unknown)} rows name no known class)" if len(unknown) > 1 else ""
        raise WinnowError(
            f"{ledger}, line {line}: unknown class '{label}'{others}: {nearest(label, fixed)} A class that was renamed "
            "is renamed in the ledger by `winnow label rename OLD NEW`."
        )
    return fixed


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
            f"counts; the source reveals more once label.budget is above {spent}."
        )
    if lost:
        said.append(f"{lost} labels revealed earlier are of pictures gone from training: kept on record, not counted.")
    if tests:
        said.append(f"{tests} ledger ids are test samples: only evaluate reads them.")
    vain = without_effect(read_ledger(ledger))
    for kind, words in (("repeats", "repeat what stood there"), ("withdrawals", "withdraw what was not there")):
        if vain[kind]:
            lines = ", ".join(map(str, vain[kind][:_NAMED])) + (", ..." if len(vain[kind]) > _NAMED else "")
            said.append(f"{len(vain[kind])} ledger rows have no effect, they {words} (line {lines}).")
    for sentence in said:
        print(f"  label: {sentence}", file=sys.stderr)


def _refuse_misspelled(rows: pd.DataFrame, ledger: Path) -> None:
    counts = Counter(rows["label"])
    for name, count in sorted(counts.items()):
        larger = next((other for other, more in counts.most_common() if more > count and alike(name, other)), None)
        if larger is not None:
            lines = rows.loc[rows["label"] == name, "line"].tolist()
            where = ", ".join(map(str, lines[:_NAMED])) + (", ..." if len(lines) > _NAMED else "")
            raise WinnowError(
                f"{ledger}, line {where}: the class '{name}' ({count}) is likely '{larger}' ({counts[larger]}): say so "
                f"by `winnow label rename '{name}' '{larger}'`, or, if both are meant, list all in label.classes."
            )
