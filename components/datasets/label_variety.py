"""Whether the labels name every class: what rules say stands in where none does, and what is missing is told."""

import sys
from dataclasses import replace

import numpy as np

from components.core.errors import WinnowError
from components.datasets.folds import NEVER
from components.datasets.labels import Floats, Labels

_NAMED = 3  # classes in a sentence


def standing_in(vouched: Labels, ids: list[str], said: Floats) -> Labels:
    """The labels in force: with the rules' behind them while a class that rules speak for has no other label."""
    if not vouched.ids and not ids:
        raise WinnowError(
            "there is no label yet, and no rule matches a training sample: label some, or mend the rules."
        )
    free = ~np.isin(ids, vouched.ids)
    ids, said = [id_ for id_, is_free in zip(ids, free, strict=True) if is_free], said[free]
    lacking = (vouched.distributions.sum(0) == 0) & (said.sum(0) > 0)
    if not lacking.any():
        return vouched
    names = _named([name for name, lacks in zip(vouched.classes, lacking, strict=True) if lacks])
    print(
        f"  label: nobody labeled {names} yet, so what rules say of {len(ids)} samples stands in for labels; it costs "
        "no budget and validates nothing.",
        file=sys.stderr,
    )
    return replace(
        vouched,
        ids=[*vouched.ids, *ids],
        distributions=np.concatenate([vouched.distributions, said]),
        sources=[*vouched.sources, *["rule"] * len(ids)],
        folds=np.concatenate([vouched.folds, np.full(len(ids), NEVER, np.int64)]),
        ruled=len(ids),
    )


def check_variety(labels: Labels, budget: int | None) -> None:
    """Name on standard error the classes without a label. Raises WinnowError where all labels are of one class."""
    votes, classes = labels.distributions.sum(0), labels.classes
    if len(seen := np.flatnonzero(votes)) == 1:
        mend = "add labels of another class to the ledger" + ("" if budget is None else ", or raise label.budget")
        raise WinnowError(f"all {len(labels.ids)} labels are of class '{classes[seen[0]]}': {mend}.")
    unseen = [name for name, count in zip(classes, votes, strict=True) if not count]
    if unseen:
        print(
            f"  label: no label of {_named(unseen)}, so the model cannot learn {len(unseen)} of {len(classes)} "
            "classes: raise label.budget, or add labels to the ledger.",
            file=sys.stderr,
        )


def _named(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
