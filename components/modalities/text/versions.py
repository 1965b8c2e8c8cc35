"""Texts that were written anew, such as by a translation there and back: looked up by the text, drawn by chance."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from components.core.errors import WinnowError
from components.core.seeds import uniform
from components.datasets.sample_store import Samples, padded
from components.modalities import Array, Positions

COLUMNS = ["id", "text"]


class Versions:
    """versions: of texts by `digest` of their record; each as UTF-8 is read."""

    def __init__(self, versions: Mapping[str, Sequence[str]]) -> None:
        self.versions = {
            key: [np.frombuffer(one.encode("utf-8", "replace"), np.uint8) for one in several]
            for key, several in versions.items()
        }

    def __call__(self, records: Tensor, chance: float, keys: Positions, seed: int) -> Tensor:
        """Records `(B, L)`, with that chance another of the same text's; `(B, M)`, M the longest or L."""
        draws, rows = uniform(seed, keys, 2), records.cpu().numpy()
        found: list[Array] = []
        for row, (lot, which) in zip(rows, draws, strict=True):
            several = self.versions.get(digest(row), ()) if lot < chance else ()
            found.append(several[min(int(which * len(several)), len(several) - 1)] if several else row)
        return torch.from_numpy(padded(found)).to(records.device)


def digest(record: Array) -> str:
    """Of a text's bytes, whatever stands behind its end."""
    return hashlib.blake2b(np.asarray(record).tobytes().rstrip(b"\0"), digest_size=8).hexdigest()


def read_versions(path: Path, samples: Samples, rows: Positions, ids: Sequence[str]) -> dict[str, list[str]]:
    """Versions of the texts at the rows by `digest`, out of a table (.parquet or .csv) of `id` and `text`.

    ids: of the rows, in order. Raises WinnowError for a file that is no such table, or that has none of these texts.
    """
    table = _table(path)
    wanted = dict(zip(ids, rows.tolist(), strict=True))
    found: dict[str, list[str]] = {}
    for identity, several in table.groupby("id", sort=True)["text"]:
        if (row := wanted.get(str(identity))) is not None:
            found[digest(samples[np.array([row])][0])] = [one for one in several if one.strip()]
    found = {key: several for key, several in found.items() if several}
    if not found:
        raise WinnowError(
            f"{path} has a version of none of the {len(ids)} training texts: its ids are of other texts; make it anew "
            "with `winnow rewrite`, or take rewritten out of augment.policies."
        )
    return found


def _table(path: Path) -> pd.DataFrame:
    try:
        parquet = path.suffix == ".parquet"
        table = pd.read_parquet(path) if parquet else pd.read_csv(path, dtype=str, keep_default_na=False)
        table = table[COLUMNS]
        if not all(isinstance(one, str) for name in COLUMNS for one in table[name]):
            raise ValueError("they are not all texts")
    except (KeyError, ValueError, OSError) as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else "it is damaged or of another form"
        raise WinnowError(
            f"{path} is no .parquet or .csv with the columns id and text ({why}): `winnow rewrite` makes one."
        ) from None
    return table
