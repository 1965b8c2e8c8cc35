"""Exact copies: one is kept; copies under two classes, or on both sides of the split, are told apart and reported."""

import pandas as pd

_SPLIT_ORDER = {"test": 0, "train": 2}  # which copy stays: the test split's, then one the source does not place


def settle_copies(found: pd.DataFrame, noun: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep one row per content; returns the kept rows and the quarantine rows (`path`, `kind`, `reason`, `twin`).

    found: `path`, `sha256`, `label` and `split` (both may be missing). Copies under different classes all go
    (`conflict`). Of copies in both splits the first test copy stays and those of the training split go (`leak`); other
    copies go as `duplicate`, the first path stays and takes over the class that any of them has. noun: of a sample.
    """
    order = found.assign(rank=found["split"].map(_SPLIT_ORDER).fillna(1)).sort_values(["rank", "path"])
    order = order.drop(columns="rank")
    is_copy = order.duplicated("sha256", keep=False)
    copies = order[is_copy]
    if copies.empty:
        return order, _quarantined(copies, "", "", "")
    by_content = copies.groupby("sha256", sort=False)
    in_conflict = by_content["label"].transform("nunique") > 1
    conflicts, agreeing = copies[in_conflict], copies[~in_conflict].copy()
    by_content = agreeing.groupby("sha256", sort=False)
    agreeing["label"] = by_content["label"].transform("first")
    kept = by_content.head(1).set_index("sha256")
    others = agreeing[agreeing.duplicated("sha256")]
    twins = others["sha256"].map(kept["path"])
    leaks = (others["split"] == "train") & (others["sha256"].map(kept["split"]) == "test")
    quarantined = [
        _conflicting(conflicts, noun),
        _quarantined(others[leaks], "leak", f"the same {noun} is in the test split: ", twins[leaks]),
        _quarantined(others[~leaks], "duplicate", f"the same {noun} is kept as ", twins[~leaks]),
    ]
    return pd.concat([order[~is_copy], kept.reset_index()]), pd.concat(quarantined)


def _conflicting(conflicts: pd.DataFrame, noun: str) -> pd.DataFrame:
    """Each copy's twin is the first copy under another class."""
    firsts = conflicts.dropna(subset="label").drop_duplicates(["sha256", "label"])
    firsts = firsts[["sha256", "label", "path"]].rename(columns={"path": "twin", "label": "other"})
    pairs = conflicts.merge(firsts, on="sha256")
    pairs = pairs[pairs["label"].isna() | (pairs["label"] != pairs["other"])].drop_duplicates("path")
    own = pairs["label"].fillna("no class")
    reason = f"the same {noun} is under '" + own + "' and '" + pairs["other"] + "': which is right?"
    columns = {
        "path": pairs["path"],
        "kind": "conflict",
        "reason": reason,
        "twin": pairs["twin"],
        "id": pairs.get("id"),
    }
    return pd.DataFrame(columns)


def _quarantined(rows: pd.DataFrame, kind: str, reason: str, twins: "pd.Series[str] | str") -> pd.DataFrame:
    text = reason + twins + "." if isinstance(twins, pd.Series) else reason
    return pd.DataFrame({"path": rows["path"], "kind": kind, "reason": text, "twin": twins, "id": rows.get("id")})
