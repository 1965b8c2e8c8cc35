"""Who has answered what so far, as the ledger tells: what is open, what was asked again, what came last."""

from collections import defaultdict
from collections.abc import Collection

import pandas as pd

from components.datasets.ledger import AGAIN, standing
from components.datasets.moment import moment
from pipelines.labeling.standing import answers_that_stand


class Answered:
    """The answers of people that stand, about the ids of `about`.

    people: by id, the annotators with an answer that stands (a label, or that they could not give one).
    """

    def __init__(self, ledger: pd.DataFrame, about: Collection[str]) -> None:
        self._rows = ledger[(ledger["source"] == "person") & ledger["id"].isin(about)]
        self._standing = answers_that_stand(self._rows)
        self.people = defaultdict[str, set[str]](set)
        for identity, who in self._standing[["id", "annotator"]].values:
            self.people[identity].add(who)

    def answers(self, who: str) -> pd.DataFrame:
        """That annotator's rows that stand, the latest written last."""
        return self._standing[self._standing["annotator"] == who]

    def row(self, who: str, identity: str) -> "pd.Series[str] | None":
        """That annotator's answer about a sample, where one stands."""
        found = _of(self._standing, who, identity)
        return None if found.empty else found.iloc[-1]

    def before(self, who: str, identity: str) -> str:
        """The label that annotator had given before an answer to the same question asked again; else nothing."""
        rows = _of(self._rows, who, identity)
        return str(rows.iloc[-2]["label"]) if len(rows) > 1 and is_again(str(rows.iloc[-1]["note"])) else ""

    def asked_again(self, who: str) -> set[str]:
        """Ids that were put to that annotator a second time."""
        rows = self._rows[self._rows["annotator"] == who]
        return set(rows.loc[rows["note"].map(is_again).astype(bool), "id"])

    def moment_after(self, who: str, identity: str) -> str:
        """When a row must say it was written to count after all of that annotator's about the sample."""
        rows = standing(_of(self._rows, who, identity))
        return moment(*rows[["at", "time"]].iloc[-1]) if len(rows) else moment()


def is_again(note: str) -> bool:
    """Whether a row's note says that the question had been asked before."""
    return AGAIN in note.split("; ")


def _of(rows: pd.DataFrame, who: str, identity: str) -> pd.DataFrame:
    return rows[(rows["annotator"] == who) & (rows["id"] == identity)]
