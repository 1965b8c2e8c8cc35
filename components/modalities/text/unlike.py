"""In what a text differs from all training texts before a model has seen it: its length."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.datasets.records import Record

if TYPE_CHECKING:
    import pandas as pd

RARE = 0.005  # share of training texts that are shorter, and longer, than what is called usual


def summary(facts: "pd.DataFrame") -> dict[str, Any]:
    """`words`: as few and as many as all but the shortest and longest training texts have."""
    few, many = facts["words"].quantile([RARE, 1 - RARE])
    return {"words": [int(few), int(many)]}


def unlike(record: Record, summary: Mapping[str, Any]) -> list[str]:
    """Sentences' beginnings, for a text that is far shorter or longer."""
    few, many = summary.get("words", (0, float("inf")))
    count = record.facts["words"]
    if count < few / 2:
        return [f"far shorter than the training texts, of {few} words and more"]
    return [f"far longer than the training texts, of up to {many} words"] if count > 2 * many else []
