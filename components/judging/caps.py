"""Caps on pseudo-labels: of near-duplicates, of a folder, of a class only so many count, the surest first."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from components.core.config import Config

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Names = npt.NDArray[np.object_]


class CapsConfig(Config):
    """How many pseudo-labels may be accepted of one kind, so that no kind outvotes the rest; None: any number.

    max_per_class: how many even shares of the pool (its size over the number of classes) one class may take;
    max_per_group: how many of a group of near-duplicates; max_per_folder: what share of the pool one folder may give,
    where folders are places that the pictures come from.
    """

    max_per_class: float | None = Field(3.0, gt=0)
    max_per_group: int | None = Field(2, ge=1)
    max_per_folder: float | None = Field(None, gt=0, le=1)


@dataclass(frozen=True)
class Origins:
    """Of each sample, the group of near-duplicates and the folder that it is in; each `(N,)`."""

    groups: Names
    folders: Names

    def of(self, rows: npt.NDArray[np.int64]) -> "Origins":
        """Those of some samples."""
        return Origins(self.groups[rows], self.folders[rows])


@dataclass(frozen=True)
class Within:
    """Who is left after the cap on groups, then the one on folders, then the one on classes; each `(N,)`."""

    group: Flags
    folder: Flags
    all: Flags


def within_caps(confident: Flags, distributions: Floats, origins: Origins, config: CapsConfig, *, pool: int) -> Within:
    """Which of the confident samples stay.

    confident: `(N,)`; distributions: `(N, K)`, of which the largest number is the confidence and its class the guess;
    pool: how many samples might be accepted at all.
    """
    confidence, guess = distributions.max(1), distributions.argmax(1)
    of_folder, of_class = _part(config.max_per_folder, pool), _part(config.max_per_class, pool, distributions.shape[1])
    group = _most_confident(confident, confidence, origins.groups, config.max_per_group)
    folder = _most_confident(group, confidence, origins.folders, of_folder)
    return Within(group, folder, _most_confident(folder, confidence, guess, of_class))


def _part(share: float | None, pool: int, parts: int = 1) -> int | None:
    return None if share is None else int(share * pool / parts)


def _most_confident(accepted: Flags, confidence: Floats, kinds: npt.NDArray[np.generic], cap: int | None) -> Flags:
    """Of the accepted, the `cap` most confident of each kind."""
    if cap is None:
        return accepted
    rows = np.flatnonzero(accepted)
    rows = rows[np.argsort(-confidence[rows], kind="stable")]
    place = pd.Series(kinds[rows]).groupby(kinds[rows]).cumcount().to_numpy()
    kept = np.zeros_like(accepted)
    kept[rows[place < cap]] = True
    return kept
