"""The rules as the report lists them: those that match most; what matches nothing, or is mostly wrong, by name."""

from typing import Any

import pandas as pd

MOST = 60  # rules on the page
ENOUGH = 3  # labels that judge a rule


def rule_rows(figures: pd.DataFrame) -> dict[str, Any] | None:
    """For the template; None without rules. figures: a row each, as `read_rule_figures` gives them."""
    if figures.empty:
        return None
    ordered = figures.sort_values("matches", ascending=False, kind="stable")
    poor = (figures["labeled"] >= ENOUGH) & (2 * figures["right"] < figures["labeled"])
    return {
        "rows": ordered.head(MOST).to_dict("records"),
        "more": max(0, len(figures) - MOST),
        "idle": figures.loc[figures["matches"] == 0, "rule"].tolist(),
        "poor": figures.loc[poor, "rule"].tolist(),
    }
