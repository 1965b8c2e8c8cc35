"""What of a file's answers the ledger does not have yet: its new rows, and what became of all the others."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from components.datasets.ledger import PASSES, Row, check, standing
from components.datasets.moment import moment
from pipelines.labeling.given import Answers, Given
from pipelines.labeling.label_studio_answers import TOOL
from pipelines.labeling.rounds import round_of

GONE = "withdrawn there"
Checked = dict[str, Any]


class Joining:
    """Of answers that can be, those that are new to the ledger, each person's latest about a sample.

    rows: new ones; counts: how many answers were `repeated` in the file, `known`, `older` than what stands, a `passed`
    question, or `withdrawn`.
    """

    def __init__(self, ledger: pd.DataFrame, given: Iterable[Given]) -> None:
        self.rows, self.counts = list[Row](), Counter[str]()
        self._last = {(one["id"], one["annotator"]): one for one in standing(ledger).to_dict("records")}
        every = ledger.to_dict("records")
        self._there = {(one["id"], one["annotator"], one["label"], one["time"]) for one in every}
        self._numbers = {
            (part.rpartition(":")[2], one["label"], one["time"])
            for one in every
            for part in one["note"].split("; ")
            if part.startswith(f"{TOOL}:")
        }
        latest = self._latest(given)
        round_ = round_of(ledger, {identity for identity, _ in latest})
        for whose, (one, row) in latest.items():
            self._join(whose, one, row, round_)

    def take_back(self, answers: Answers, about: frozenset[str]) -> None:
        """Withdraw what came from the tool and is in it no more, of samples whose annotations the file holds all."""
        for (identity, who), last in self._last.items():
            numbers = [part for part in last["note"].split("; ") if part.startswith(f"{TOOL}:")]
            task, _, number = numbers[0].removeprefix(f"{TOOL}:").rpartition(":") if numbers else ("", "", "")
            there = answers.whole.get((str(identity), task)) if identity in about else None
            if there is None or not numbers or GONE in last["note"] or number in there:
                continue
            base = {"id": identity, "annotator": who, "source": last["source"], "round": last["round"]}
            at = moment(last["at"], last["time"])
            self.rows.append({**base, "label": "", "at": at, "note": f"{GONE}; {numbers[0]}"})
            self.counts["withdrawn"] += 1

    def _latest(self, given: Iterable[Given]) -> dict[tuple[str, str], tuple[Given, Checked]]:
        latest = dict[tuple[str, str], tuple[Given, Checked]]()
        for one in given:
            row = check(one.row, one.where)
            whose = (row["id"], row["annotator"])
            if whose in latest:
                self.counts["repeated"] += 1
            if whose not in latest or row["time"] > latest[whose][1]["time"]:
                latest[whose] = one, row
        return latest

    def _join(self, whose: tuple[str, str], one: Given, row: Checked, round_: int) -> None:
        stands, said = self._last.get(whose), (row["label"], row["time"])
        dated = row["time"] == row["time"]  # not nan
        if self._is_known(whose, one, row, stands) or not (row["label"] or _passed(row) or stands):
            self.counts["known"] += 1
        elif dated and stands is not None and said[1] < stands["time"]:
            self.counts["older"] += 1
        else:
            if not row["label"]:
                self.counts["passed" if _passed(row) else "withdrawn"] += 1
            at = row["at"] if dated else moment() if stands is None else moment(stands["at"], stands["time"])
            columns = {name: row[name] for name in ("id", "label", "annotator", "source", "cost", "note")}
            self.rows.append({**columns, "at": at, "round": row["round"] or round_})

    def _is_known(self, whose: tuple[str, str], one: Given, row: Checked, stands: Mapping[Any, Any] | None) -> bool:
        if row["time"] != row["time"]:
            same = stands is not None and stands["label"] == row["label"]
            return same and (bool(row["label"]) or _passed(row) == _passed(stands))
        said = (row["label"], row["time"])
        return (*whose, *said) in self._there or (one.annotation.rpartition(":")[2], *said) in self._numbers


def _passed(row: Mapping[Any, Any] | None) -> bool:
    return row is not None and not row["label"] and not set(PASSES).isdisjoint(str(row["note"]).split("; "))
