"""A sample's true class: what people said in the ledger, else what the source knows. The one rule for both splits."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from components.core.terminal import short
from components.datasets.identity import earlier_ids
from components.datasets.ledger import in_force, read_ledger, undated
from components.datasets.oracle import reveal

ORIGINS = ("source", "ledger", "corrected")


def answers(ledger: Path, samples: pd.DataFrame) -> pd.DataFrame:
    """The ledger's rows in force, an id of an earlier form as today's. samples: `id`, `sha256` of all samples."""
    rows = read_ledger(ledger)
    if len(odd := undated(rows)):
        what = "1 ledger row has" if len(odd) == 1 else f"{len(odd)} ledger rows have"
        print(
            f"  {what} an `at` that is no date such as 2026-03-01T10:00:00Z, from line {odd['line'].iloc[0]} on "
            f"('{short(odd['at'].iloc[0])}'): the place in the file counts.",
            file=sys.stderr,
        )
    earlier = earlier_ids(samples)
    found = rows["id"].isin(earlier)
    if found.any():
        what = "1 ledger row names" if found.sum() == 1 else f"{found.sum()} ledger rows name"
        print(f"  {what} a sample by an earlier form of its id: counted.", file=sys.stderr)
        rows["id"] = rows["id"].map(lambda one: earlier.get(one, one)).astype("str")
    return in_force(rows)


def true_classes(oracle: Path, rows: pd.DataFrame, ids: Sequence[str]) -> pd.DataFrame:
    """`class` and `origin` (one of `ORIGINS`) of each id, in their order; null where nobody knows.

    rows: the ledger's in force. Of several annotators the most frequent answer counts; where answers tie, the source's
    if it is among them, else the first by name.
    """
    known = pd.DataFrame({"id": list(ids), "source": pd.array(reveal(oracle, ids), dtype="str")}).set_index("id")
    counts = rows[rows["id"].isin(known.index)].groupby(["id", "label"]).size().rename("votes").reset_index()
    counts["agrees"] = counts["label"] == counts["id"].map(known["source"])
    counts = counts.sort_values(["id", "votes", "agrees", "label"], ascending=[True, False, False, True])
    said = counts.drop_duplicates("id").set_index("id")["label"].reindex(known.index)
    origin = pd.Series("source", known.index).where(said.isna(), "ledger")
    origin[said.notna() & known["source"].notna() & (said != known["source"])] = "corrected"
    origin[said.notna() & (said == known["source"])] = "source"
    found = said.fillna(known["source"])
    return pd.DataFrame({"class": found, "origin": origin.where(found.notna(), None)}).reset_index(drop=True)


def say_where_nothing_measures(oracle: Path, rows: pd.DataFrame, tests: Sequence[str]) -> None:
    """On standard error, where nobody knows the class of any of the test samples: the last stages will want some."""
    if len(tests) and true_classes(oracle, rows, tests)["class"].isna().all():
        print(
            f"  label: none of the {len(tests):,} test samples has a label, so `evaluate` will stop: "
            "`winnow label --test` asks about some.",
            file=sys.stderr,
        )
