"""How well people agree, beyond what chance would give: with each other, and with themselves when asked again."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from components.datasets.ledger import AGAIN, PASSES, UNDONE
from components.methods.label_models import Doubles, Integers, Votes


def cohens_kappa(agree: float, own: Doubles, others: Doubles) -> float:
    """Agreement beyond chance (Cohen 1960, https://doi.org/10.1177/001316446002000104), 1 at best, 0 for chance.

    agree: share of pairs that are the same; own, others: `(K,)` shares of each class on the two sides. nan where
    chance alone would always agree.
    """
    chance = float(own @ others)
    return (agree - chance) / (1 - chance) if chance < 1 else float("nan")


def kappas(votes: Votes) -> Doubles:
    """`(A,)`: of each annotator with the others, over all pairs of votes on the same item; nan where there are none."""
    counts = votes.counts()
    found = np.full(votes.shape[1], np.nan)
    for annotator in np.unique(votes.annotators).tolist():
        mine = votes.annotators == annotator
        found[annotator] = _kappa(votes.classes[mine], counts[votes.items[mine]])
    return found


def with_repeats(table: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """The table of annotators with `again`, answers to a question put to them before, and `same`, the share of these
    that were as before (nan without)."""
    rows = ledger.assign(answer=ledger["label"].where(ledger["label"] != "", ledger["note"].map(_part(PASSES))))
    whose = rows.groupby(["id", "annotator"], sort=False)
    rows = rows.assign(before=whose["answer"].shift(), after=whose["note"].shift(-1, fill_value=""))
    undone = rows["after"].map(_part((UNDONE,))) != ""
    rows = rows[(rows["note"].map(_part((AGAIN,))) != "") & ~undone]
    same = (rows["answer"] == rows["before"]).groupby(rows["annotator"]).agg(["size", "mean"])
    same = same.reindex(table["annotator"])
    return table.assign(again=same["size"].fillna(0).astype("int64").to_numpy(), same=same["mean"].to_numpy())


def _kappa(mine: Integers, counts: Doubles) -> float:
    """Of votes `(V,)` with the others on the same items, whose `counts` `(V, K)` hold the own vote too."""
    places = np.arange(len(mine))
    others = counts.copy()
    others[places, mine] -= 1
    pairs = others.sum()
    if not pairs:
        return float("nan")
    own = np.bincount(mine, weights=others.sum(1), minlength=counts.shape[1])
    return cohens_kappa(float(others[places, mine].sum() / pairs), own / pairs, others.sum(0) / pairs)


def _part(parts: tuple[str, ...]) -> Callable[[str], str]:
    return lambda note: next((one for one in note.split("; ") if one in parts), "")
