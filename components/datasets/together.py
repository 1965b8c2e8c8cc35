"""Samples that are of one origin, such as a speaker: all of it is trained on, or all of it is tested on."""

import hashlib
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import field_validator, model_validator

from components.core.config import Config
from components.core.errors import WinnowError
from components.datasets.identity import LENGTH as ID_LENGTH
from components.datasets.manifest import TOGETHER
from components.datasets.names import normal
from components.datasets.split import assign_splits, leaking

Rows = npt.NDArray[np.int64]


class Group(Config):
    """What says which samples are of one origin: the column of a table, or the first part in brackets of a regular
    expression that is searched in each sample's path, such as `[0-9]_([a-z]+)_`.
    """

    column: str | None = None
    pattern: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "Group":
        if (self.column is None) == (self.pattern is None):
            raise ValueError("a block with either column (of the table) or pattern (of the samples' paths)")
        return self

    @field_validator("pattern")
    @classmethod
    def _with_brackets(cls, pattern: str | None) -> str | None:
        try:
            groups = None if pattern is None else re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"a regular expression, which this is not ({error})") from None
        if groups == 0:
            raise ValueError("a regular expression with the origin's name in brackets, such as '_([a-z]+)_'")
        return pattern


def origins(found: pd.DataFrame, group: Group) -> "pd.Series[str]":
    """The origin of each sample of `found` (columns `path` and, as the source says it, `together`).

    Raises WinnowError for the first sample that has none.
    """
    if group.pattern is None:
        named, how = found[TOGETHER].fillna("").map(normal), f"says nothing in '{group.column}'"
    else:
        hits = [re.search(group.pattern, path) for path in found["path"]]
        said = ["" if hit is None else normal(hit.group(1) or "") for hit in hits]
        named, how = pd.Series(said, found.index, dtype="str"), f"does not fit '{group.pattern}'"
    if (none := named == "").any():
        first = found.loc[none, "path"].sort_values().iloc[0]
        raise WinnowError(
            f"ingest.group: {int(none.sum()):,} of {len(found):,} samples have no origin; the first, {first}, {how}: "
            "mend that, or take ingest.group out."
        )
    return named


def whole_splits(kept: pd.DataFrame, groups: Rows, test_fraction: float) -> "pd.Series[str]":
    """`train` or `test` for each row of `kept` (columns `split`, `together`): an origin, and what shares a group
    `(M,)` of near-duplicates with it, on one side, unless the source says otherwise.

    By hash of the origins' names, so that adding samples moves nobody; where that leaves a side empty, the origin whose
    hash is nearest to it goes there.
    """
    units = _units(kept, groups)
    names = kept[TOGETHER].map(lambda name: hashlib.sha256(name.encode()).hexdigest()[:ID_LENGTH])
    drawn_by = names.groupby(units).transform("min")
    return assign_splits(kept.assign(group=drawn_by), test_fraction, both=True)


def leaking_origins(kept: pd.DataFrame) -> pd.DataFrame:
    """Training rows whose origin also has test rows: columns `path`, `twin` (the first of these), `reason`."""
    found = leaking(kept.assign(group=kept[TOGETHER]))
    reason = [
        f"the test split has samples of the same origin '{name}' (ingest.group), such as {twin}."
        for name, twin in zip(found["group"], found["twin"], strict=True)
    ]
    return found[["path", "twin"]].assign(reason=reason)


def _units(kept: pd.DataFrame, groups: Rows) -> Rows:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    codes = pd.factorize(kept[TOGETHER], sort=True)[0]
    _, own = np.unique(groups, return_inverse=True)
    size = int(own.max(initial=0)) + 1 + int(codes.max(initial=0)) + 1
    links: Any = coo_array(
        (np.ones(len(own), np.bool_), (own, int(own.max(initial=0)) + 1 + codes)), shape=(size, size)
    )
    return np.asarray(connected_components(links, directed=False)[1][own], np.int64)
