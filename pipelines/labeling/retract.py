"""`winnow label retract`: every answer of a round, or of a person, taken back by rows appended to the ledger."""

import pandas as pd

from components.core.config import did_you_mean
from components.core.errors import WinnowError
from components.core.terminal import short
from components.datasets.ledger import read_ledger
from components.datasets.names import normal
from pipelines.labeling.places import LEDGER
from pipelines.labeling.said_again import say_again
from pipelines.labeling.standing import answers_that_stand


def retract(round_: int | None, annotator: str) -> str:
    """Withdraw the answers that stand, and say of how many samples they were; what they passed over is open again.

    Raises WinnowError where neither is named, and where the ledger has no such answer.
    """
    name = normal(annotator)
    if bool(annotator) != bool(name) or (round_ is None and not name):
        raise WinnowError("say whose answers to take back: --round N, --annotator NAME, or both.")
    last = answers_that_stand(read_ledger(LEDGER))
    found = _wanted(last, round_, name)
    labels = found[found["label"] != ""]
    say_again(found, "", "retracted")
    left = last.drop(found.index)
    bare = labels.loc[~labels["id"].isin(left.loc[left["label"] != "", "id"]), "id"].nunique()
    passes = len(found) - len(labels)
    also = f", and {passes} answers without a label" if passes else ""
    return (
        f"{len(labels)} {'label' if len(labels) == 1 else 'labels'} of {labels['id'].nunique()} samples withdrawn in "
        f"{LEDGER}{also}; {bare} of these samples without any now. `winnow status` says what is stale by that."
    )


def _wanted(last: pd.DataFrame, round_: int | None, annotator: str) -> pd.DataFrame:
    found = last
    if annotator:
        found = found[found["annotator"] == annotator]
        if found.empty:
            others = sorted(set(last["annotator"]))
            choice = did_you_mean(annotator, others) if others else "it has no answers at all."
            raise WinnowError(f"{LEDGER} has no answer of '{short(annotator)}' that stands: {choice}")
    if round_ is not None:
        rounds = sorted(set(found["round"]))
        found = found[found["round"] == round_]
        if found.empty:
            there = f"it has those of {', '.join(map(str, rounds))}." if rounds else "it has no answers at all."
            raise WinnowError(f"{LEDGER} has no answer of round {round_} that stands: {there}")
    return found
