"""What annotators said of the labeled samples, weighed into class distributions; and how good each one seems."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from components.core.config import PluginChoice
from components.core.files import write_text
from components.core.plugins import build
from components.core.spreadsheet import frame_to_csv
from components.judging.agreement import kappas
from components.methods.label_models import Doubles, LabelModel, Votes, accuracies

SOURCE = "the source"  # the annotator that labels come from which no ledger names
COLUMNS = ("annotator", "source", "votes", "shared", "accuracy", "kappa")
MUCH = 1 / 3  # of the samples, contradicted


@dataclass(frozen=True)
class Aggregated:
    """distributions: `(L, K)` in the order of the ids; annotators: a row each, columns `COLUMNS`; figures: for the log.

    shared: votes on samples that others voted on too; accuracy: expected share of these that are right, nan without;
    kappa: agreement with these others beyond chance (Cohen), nan without.
    """

    distributions: npt.NDArray[np.float32]
    annotators: pd.DataFrame
    figures: dict[str, float]


def aggregate(
    choice: PluginChoice, ids: Sequence[str], rows: pd.DataFrame, revealed: Mapping[str, str], classes: Sequence[str]
) -> Aggregated:
    """Weigh the ledger's rows (`id`, `label`, `annotator`, `source`) and the source's classes by id.

    The figures set the chosen label model beside majority vote; standard error says so where they differ.
    """
    model: LabelModel = build("label_model", choice, where="label.aggregation")
    votes, names = _votes(ids, rows, revealed, classes)
    distributions, counts = model.fit(votes), votes.counts()
    chosen = distributions.argmax(1)
    changed = counts[np.arange(len(ids)), chosen] < counts.max(1)
    disputed = (counts > 0).sum(1) > 1
    agreed = (counts.max(1) > 1) & ~disputed
    if choice.name != "majority_vote" and len(ids):
        print(
            f"  label: {choice.name} takes another class than majority vote for {changed.sum()} of {len(ids)} samples; "
            f"annotators disagree on {disputed.sum()}.",
            file=sys.stderr,
        )
        lost = [classes[k] for k in sorted(set(counts.argmax(1)) - set(chosen))]
        _warn(choice.name, rows, float(changed.mean()), lost)
        if against := int((agreed & changed).sum()):
            print(
                f"  label: {choice.name} contradicts {against} of {agreed.sum()} labels that several agree on: "
                "set label.aggregation to majority_vote, which does not.",
                file=sys.stderr,
            )
    figures = {
        "labels_disputed": disputed.sum(),
        "labels_changed": changed.sum(),
        "labels_against_agreement": (agreed & changed).sum(),
        "annotators": len(names),
    }
    return Aggregated(
        distributions.astype(np.float32),
        _table(votes, names, distributions, rows),
        {name: int(value) for name, value in figures.items()},
    )


def write_annotators(path: Path, table: pd.DataFrame) -> None:
    """Write the table as CSV: a row per annotator."""
    write_text(path, frame_to_csv(table, "%.6f"))


def _votes(
    ids: Sequence[str], rows: pd.DataFrame, revealed: Mapping[str, str], classes: Sequence[str]
) -> tuple[Votes, list[str]]:
    """The votes, and their annotators by name, the source last."""
    place, number = {id_: n for n, id_ in enumerate(ids)}, {name: n for n, name in enumerate(classes)}
    names = sorted(set(rows["annotator"]))
    who = {name: n for n, name in enumerate(names)}
    cast = zip(rows["id"], rows["annotator"], rows["label"], strict=True)
    triples = [(place[id_], who[name], number[label]) for id_, name, label in cast]
    triples += [(place[id_], len(names), number[label]) for id_, label in revealed.items()]
    items, annotators, said = np.array(triples, np.int64).reshape(-1, 3).T
    every = names + [SOURCE] * bool(revealed)
    return Votes(items, annotators, said, (len(ids), len(every), len(classes))), every


def _table(votes: Votes, names: list[str], distributions: Doubles, rows: pd.DataFrame) -> pd.DataFrame:
    shared = votes.part(votes.shared())
    kinds = dict(zip(rows["annotator"], rows["source"], strict=True))
    table = {
        "annotator": names,
        "source": [kinds.get(name, "source") for name in names],
        "votes": np.bincount(votes.annotators, minlength=len(names)),
        "shared": np.bincount(shared.annotators, minlength=len(names)),
        "accuracy": accuracies(shared, distributions),
        "kappa": kappas(shared),
    }
    return pd.DataFrame(table, columns=list(COLUMNS))


def _warn(name: str, rows: pd.DataFrame, changed: float, lost: list[str]) -> None:
    """Of a fit that went astray, and of a model that is not made for rules."""
    if lost or changed > MUCH:
        what = f"leaves no sample of {', '.join(lost)}" if lost else f"contradicts majority vote for {changed:.0%}"
        print(
            f"  label: {name} {what}: look at data/label/annotators.csv, or set label.aggregation to majority_vote.",
            file=sys.stderr,
        )
    if name == "dawid_skene" and (rows["source"] == "rule").any():
        print("  label: rules that abstain mislead dawid_skene: data_programming is made for them.", file=sys.stderr)
