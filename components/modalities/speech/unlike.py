"""In what a clip's file differs from all training clips before a model has heard it: its length, rate and channels."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.datasets.records import Record

if TYPE_CHECKING:
    import pandas as pd

RARE = 0.005  # share of training clips that are shorter, and longer, than what is called usual


def summary(facts: "pd.DataFrame") -> dict[str, Any]:
    """`seconds`: as few and as many as all but the shortest and longest have; `rate`: the lowest."""
    few, many = facts["seconds"].quantile([RARE, 1 - RARE])
    return {"seconds": [round(float(few), 3), round(float(many), 3)], "rate": int(facts["rate"].min())}


def unlike(record: Record, summary: Mapping[str, Any]) -> list[str]:
    """Sentences without their beginning."""
    few, many = summary.get("seconds", (0, float("inf")))
    seconds, rate = record.facts["seconds"], record.facts["rate"]
    found = {
        f"far shorter than the {few:g} s and more of the training clips": seconds < few / 2,
        f"far longer than the training clips, of up to {many:g} s": seconds > 2 * many,
        f"of {rate:,} samples a second, and no training clip had fewer than {summary.get('rate', 0):,}": rate
        < summary.get("rate", 0),
    }
    return [how for how, holds in found.items() if holds]
