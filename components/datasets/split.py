"""Train or test: as the source says, else by hash of the near-duplicate group, so that adding data moves nobody."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from components.core.seeds import derive, uniform


def name_groups(ids: "pd.Series[str]", groups: npt.NDArray[np.int64]) -> "pd.Series[str]":
    """The id of each sample's group: that of its first member by id."""
    return ids.groupby(groups).transform("min")


def assign_splits(kept: pd.DataFrame, test_fraction: float, *, both: bool = False) -> "pd.Series[str]":
    """`train` or `test` for each row of `kept` (columns `group`, `split`, the latter missing where nobody says).

    A row without a split follows its group's, where another member has one. The hash depends on the group's name alone,
    not on the seed, nor on other samples: a group moves only when a new near-duplicate becomes its first member.
    both: where that leaves a side empty, the group whose hash is nearest to it goes there; for few, large groups.
    """
    given = kept.groupby("group")["split"].transform("min")  # `test` before `train`
    names = np.frombuffer(bytes.fromhex("".join(kept["group"])), ">u8").astype(np.int64)
    drawn = uniform(derive(0, "split"), names, 1)[:, 0]
    free = drawn[kept["split"].isna() & given.isna()]
    if both and given.isna().all() and len(np.unique(free)) > 1:
        distinct = np.unique(free)
        test_fraction = min(max(test_fraction, float(distinct[1])), float(distinct[-1]))
    hashed = pd.Series(np.where(drawn < test_fraction, "test", "train"), index=kept.index)
    return kept["split"].fillna(given).fillna(hashed)


def leaking(manifest: pd.DataFrame) -> pd.DataFrame:
    """Training rows whose group also has test rows: columns `group`, `path` and `twin` (the first test path)."""
    test = manifest[manifest["split"] == "test"].sort_values("path").drop_duplicates("group")
    twins = manifest["group"].map(test.set_index("group")["path"])
    both = (manifest["split"] == "train") & twins.notna()
    return manifest.loc[both, ["group", "path"]].assign(twin=twins[both]).sort_values("path")
