"""Which samples are one and the same: nearly equal ones and altered copies in groups, and what each leak is."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from components.datasets import altered_copies as copies
from components.datasets.altered_copies import Altered, altered_copies
from components.datasets.near_duplicates import Closeness, Pixels, near_duplicate_groups
from components.datasets.sample_store import Store
from components.datasets.split import leaking

Rows = npt.NDArray[np.int64]
_NONE = Altered(np.empty((2, 0), np.int64), [])
_NAMED = 3  # blank samples in the sentence


class Kind(copies.Kind, Protocol):
    """What is asked of a kind of data: see `components.modalities.Modality`."""

    def alike(self, records: list[npt.NDArray[Any]], pairs: Rows) -> npt.NDArray[np.bool_]: ...

    def difference(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> str: ...


def group_samples(
    kind: Kind, samples: Store, rows: Rows, prints: Pixels | None, blank: npt.NDArray[np.bool_], closeness: Closeness
) -> tuple[Rows, Altered]:
    """`(M,)` group numbers of the `rows` of `samples`, and which are altered copies, which `close` looks for alone.

    prints, blank: of the rows; what is blank is no copy of anything.
    """
    shown = np.flatnonzero(~blank)
    groups = np.arange(len(rows)) + len(rows)
    some = None if prints is None else prints[shown]
    found = near_duplicate_groups(some, samples, rows[shown], kind.alike, closeness)
    altered = altered_copies(kind, samples, rows[shown], found) if closeness == "close" else _NONE
    groups[shown] = _joined(found, altered.pairs)
    return groups, Altered(shown[altered.pairs], altered.how)


def leaks_of(kept: pd.DataFrame, altered: Altered, kind: Kind) -> pd.DataFrame:
    """As `leaking`, and `how` the test sample differs, such as `cropped`; nothing where there is no word for it.

    kept: in the order in which `altered` counts; the twin is the altered copy, or what it is one of.
    """
    leaks = leaking(kept)
    direct: dict[int, tuple[str, str]] = {}
    for pair, how in zip(altered.pairs.T, altered.how, strict=True):
        for one, other in (pair, pair[::-1]):
            if kept["split"].iat[other] == "test":
                direct.setdefault(int(one), (str(kept["path"].iat[other]), how))
    some = kept[kept["path"].isin([*leaks["path"], *leaks["twin"]])].to_dict("records")
    facts = {str(row["path"]): {str(name): value for name, value in row.items()} for row in some}
    twins = [
        direct.get(row) or (twin, kind.difference(facts[path], facts[twin]))
        for row, path, twin in zip(leaks.index.to_numpy(np.int64).tolist(), leaks["path"], leaks["twin"], strict=True)
    ]
    return leaks.assign(twin=[twin for twin, _ in twins], how=[how for _, how in twins])


def said_of(
    altered: Altered, paths: "pd.Series[str]", blank: npt.NDArray[np.bool_], noun: tuple[str, str]
) -> list[str]:
    """Sentences on altered copies and blank samples, each with an example or few. blank: `(M,)`, of the paths."""
    said = []
    for how in sorted(set(altered.how)):
        places = [place for place, one in enumerate(altered.how) if one == how]
        named = min((str(paths.iat[other]), str(paths.iat[one])) for one, other in altered.pairs[:, places].T)
        some = f"1 {noun[0]} is another" if len(places) == 1 else f"{len(places):,} {noun[1]} are others"
        said.append(f"{some}, {how}, such as {named[0]} of {named[1]}.")
    if blank.any():
        empty = sorted(paths[blank])
        more = f" and {len(empty) - _NAMED:,} more" if len(empty) > _NAMED else ""
        said.append(
            f"{len(empty):,} blank {noun[len(empty) > 1]}, the same all over, which says nothing of a class: "
            f"{', '.join(empty[:_NAMED])}{more}; take them out."
        )
    return said


def _joined(groups: Rows, pairs: Rows) -> Rows:
    """The groups `(M,)`, with those of each pair `(2, P)` of their members as one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not pairs.shape[1]:
        return groups
    first, second = groups[pairs]
    size = int(groups.max()) + 1
    _, joined = connected_components(coo_array((np.ones(len(first), np.bool_), (first, second)), shape=(size, size)))
    return np.asarray(joined[groups], np.int64)
