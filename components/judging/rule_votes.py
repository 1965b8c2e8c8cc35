"""What rules say of training samples: searched for, weighed into distributions, held against known labels."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.core.plugins import build
from components.datasets.rule_labels import FIGURES
from components.datasets.rules import Rule
from components.datasets.sample_store import Samples
from components.methods.label_models import LabelModel, Votes
from components.modalities import Modality, Positions
from components.modalities.worded import UnfitPattern, Worded

TRUST = 0.9  # share of belief in what rules say: they err together, of which their votes tell nothing
_NAMED = 3  # rules in a sentence


@dataclass(frozen=True)
class Weighed:
    """places: `(R,)` rows of the training split that a rule spoke of; distributions: `(R, K)`; table: a row for each
    rule, columns `FIGURES`; figures: for the log."""

    places: Positions
    distributions: npt.NDArray[np.float32]
    table: pd.DataFrame
    figures: dict[str, float]


def search_by_rules(
    rules: Sequence[Rule], table: Path, kind: Modality, samples: Samples, rows: Positions, seconds: int
) -> list[Positions]:
    """For each rule the places in `rows` that it speaks of.

    table: where the rules stand. Raises WinnowError for samples that have no words, and for a rule that cannot be.
    """
    if not rules:
        return []
    if not isinstance(kind, Worded):
        raise WinnowError(
            f"{table} holds rules, which look for words, and {kind.noun[1]} have none: delete all but its first line."
        )
    try:
        return kind.matches_of(samples, rows, [(rule.kind, rule.pattern) for rule in rules], seconds)
    except UnfitPattern as error:
        raise WinnowError(f"{table}, {rules[error.number].said}: it {error.why}") from None


def weigh_rules(
    choice: PluginChoice,
    rules: Sequence[Rule],
    matches: Sequence[Positions],
    classes: Sequence[str],
    known: Mapping[int, int],
    pool: int,
) -> Weighed:
    """The label model's class distributions of what the rules match among `pool` training samples, some doubt left.

    known: class numbers of places that have a label: they judge rules and change nothing. Rules that match nothing are
    named on standard error.
    """
    model: LabelModel = build("label_model", choice, where="label.rule_aggregation")
    items = np.concatenate([*matches, np.zeros(0, np.int64)])
    voters = np.repeat(np.arange(len(rules)), [len(found) for found in matches])
    places, rows = np.unique(items, return_inverse=True)
    said = np.array([classes.index(rule.label) for rule in rules], np.int64)
    votes = Votes(rows, voters, said[voters], (len(places), len(rules), len(classes)))
    distributions = (TRUST * model.fit(votes) + (1 - TRUST) / len(classes)).astype(np.float32)
    truth = np.array([known.get(place, -1) for place in places.tolist()], np.int64)
    table = _table(rules, votes, truth)
    _say_unmatched(rules, table["matches"].tolist())
    seen = truth >= 0
    figures = {
        "rules": len(rules),
        "rules_unmatched": int((table["matches"] == 0).sum()),
        "rule_coverage": len(places) / max(pool, 1),
        "rule_conflicts": float(((votes.counts() > 0).sum(1) > 1).mean()) if len(places) else 0.0,
    }
    if seen.any():
        figures["rule_accuracy"] = float((distributions.argmax(1) == truth)[seen].mean())
    return Weighed(places, distributions, table, figures if rules else {})


def _table(rules: Sequence[Rule], votes: Votes, truth: Positions) -> pd.DataFrame:
    """shared: matches that another rule matches too; conflicts: of these, where one names another class."""
    counts = votes.counts()
    own = counts[votes.items, votes.classes]
    every = counts.sum(1)[votes.items]
    labeled = truth[votes.items] >= 0

    def sums(flags: npt.NDArray[np.bool_]) -> Positions:
        return np.bincount(votes.annotators[flags], minlength=len(rules))

    return pd.DataFrame(
        {
            "rule": [rule.name for rule in rules],
            "kind": [rule.kind for rule in rules],
            "pattern": [rule.pattern for rule in rules],
            "class": [rule.label for rule in rules],
            "line": [rule.line for rule in rules],
            "matches": sums(np.ones(len(votes.items), bool)),
            "shared": sums(every > 1),
            "conflicts": sums(own < every),
            "labeled": sums(labeled),
            "right": sums(labeled & (truth[votes.items] == votes.classes)),
        },
        columns=list(FIGURES),
    )


def _say_unmatched(rules: Sequence[Rule], matches: Sequence[int]) -> None:
    idle = [rule for rule, count in zip(rules, matches, strict=True) if not count]
    if idle:
        what = "1 rule matches" if len(idle) == 1 else f"{len(idle)} rules match"
        named = ", ".join(rule.said for rule in idle[:_NAMED]) + (", ..." if len(idle) > _NAMED else "")
        print(f"  label: {what} no training sample: {named}; mend or delete what should.", file=sys.stderr)
