"""Whether the near-duplicate groups can be right: groups that join classes or hold most of the samples cannot."""

from collections.abc import Sequence

import pandas as pd

from components.core.errors import WinnowError
from components.datasets.near_duplicates import Closeness
from components.datasets.split import leaking

MOST_JOINED = 0.05  # of the labeled samples may be in a group with another class: wrong labels do that too
MOST_TOGETHER = 0.5  # of all samples may be one group
MOST_LEAKING = 0.2  # of the training samples may be in a group with test samples
FEWEST = 10  # samples that a share is taken of
FEWEST_OF_A_CLASS = 4  # that must be able to stand on both sides
_LOOSER = {"close": "exact", "exact": "off"}


def check_groups(kept: pd.DataFrame, closeness: Closeness, shared: Sequence[str] = ()) -> list[str]:
    """What is odd about the groups, a sentence each. kept: `path`, `label` (may be missing), `group`, `split`; shared:
    sentences on what very many of them hold alike, which may be why.

    Raises WinnowError where they cannot be right: pictures of a fixed camera differ in little else than their class.
    """
    if closeness == "off":
        return []
    mixed = kept[kept.groupby("group")["label"].transform("nunique") > 1]
    if reason := _impossible(kept, mixed):
        if shared:
            raise WinnowError(f"{reason} by ingest.near_duplicates: {closeness}, and {shared[0]}")
        raise WinnowError(
            f"{reason} by ingest.near_duplicates: {closeness}, as pictures of one camera may: they would all go to one "
            f"side of the split; set ingest.near_duplicates: {_LOOSER[closeness]} to take them for different ones."
        )
    if mixed.empty:
        return _together(kept)
    first = mixed.sort_values("path").dropna(subset="label")
    first = first[first["group"] == first["group"].iloc[0]].drop_duplicates("label")
    pair = " and ".join(f"{row.path} ('{row.label}')" for row in first[:2].itertuples())
    return [*_together(kept), f"{len(mixed)} near-duplicates bear different classes, such as {pair}: is a label wrong?"]


def _together(kept: pd.DataFrame) -> list[str]:
    """How many samples are nearly others, and the first pair."""
    close = kept[kept.duplicated("group", keep=False)].sort_values("path")
    if close.empty:
        return []
    pair = close.loc[close["group"] == close["group"].iloc[0], "path"]
    return [
        f"{len(close):,} samples are nearly the same as others, such as {pair.iloc[0]} and {pair.iloc[1]}: such stay "
        "together on one side of the split where the source says none."
    ]


def _impossible(kept: pd.DataFrame, mixed: pd.DataFrame) -> str:
    labeled = int(kept["label"].notna().sum())
    if len(mixed) >= max(FEWEST, MOST_JOINED * labeled):
        names = ", ".join(f"'{name}'" for name in sorted(mixed["label"].dropna().unique())[:4])
        return f"{len(mixed)} of {len(kept)} samples are near-duplicates across the classes {names}"
    largest = int(kept["group"].value_counts().iloc[0])
    if largest >= FEWEST and largest > MOST_TOGETHER * len(kept):
        return f"{largest} of {len(kept)} samples are near-duplicates of each other"
    free = kept[kept["given"].isna()]
    for name, rows in free.groupby("label", sort=True):
        if len(rows) >= FEWEST_OF_A_CLASS and rows["group"].nunique() == 1:
            return f"all {len(rows)} samples of the class '{name}' are near-duplicates of each other"
    leaks, training = len(leaking(kept)), int((kept["split"] == "train").sum())
    if leaks >= FEWEST and leaks > MOST_LEAKING * training:
        return f"{leaks} of {training} training samples are near-duplicates of test samples"
    return ""
