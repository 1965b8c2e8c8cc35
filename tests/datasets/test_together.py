"""Samples of one origin, such as a speaker, are on one side of every split, and folds hold out whole origins."""

import numpy as np
import pandas as pd
import pytest

from components.core.config import parse
from components.core.errors import WinnowError
from components.datasets.folds import NEVER, assign_folds
from components.datasets.together import Group, leaking_origins, origins, whole_splits


def _kept(speakers: str, split: str | None = None) -> pd.DataFrame:
    paths = [f"{number}_{speaker}_x.wav" for number, speaker in enumerate(speakers)]
    return pd.DataFrame({"path": paths, "together": list(speakers), "split": [split] * len(paths)})


def test_the_first_part_in_brackets_is_the_origin() -> None:
    found = origins(_kept("abca").drop(columns="together"), Group(pattern="[0-9]_([a-z])_"))
    assert found.tolist() == list("abca")


def test_a_sample_without_an_origin_is_named() -> None:
    with pytest.raises(WinnowError, match=r"1 of 3 samples have no origin; the first, 1__x\.wav, does not fit"):
        origins(_kept(["a", "", "b"]), Group(pattern="[0-9]_([a-z])_"))  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [{}, {"pattern": "a", "column": "b"}, {"pattern": "("}, {"pattern": "a+"}])
def test_what_cannot_say_an_origin_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(WinnowError, match=r"ingest\.group"):
        parse(Group, settings, where="ingest.group")


@pytest.mark.parametrize("fraction", [0.001, 0.3, 0.999])
def test_an_origin_is_on_one_side_and_no_side_is_empty(fraction: float) -> None:
    kept = _kept("abcdef" * 5)
    split = whole_splits(kept, np.arange(30), fraction)
    assert split.groupby(kept["together"]).nunique().max() == 1
    assert set(split) == {"train", "test"}


def test_new_samples_of_an_origin_move_nobody() -> None:
    few, many = _kept("abcdefghijklmnop"), _kept("abcdefghijklmnop" * 3 + "q")
    before, after = (whole_splits(kept, np.arange(len(kept)), 0.3) for kept in (few, many))
    assert after[: len(few)].tolist() == before.tolist()


def test_origins_that_share_a_near_duplicate_are_together() -> None:
    kept = _kept("abcdefgh")
    for one, other in zip(range(7), range(1, 8), strict=True):
        groups = np.arange(8)
        groups[other] = one
        split = whole_splits(kept, groups, 0.5)
        assert split[one] == split[other]


def test_an_origin_in_both_splits_leaks() -> None:
    kept = _kept("aabb", "train")
    kept.loc[1, "split"] = "test"
    found = leaking_origins(kept)
    assert found["path"].tolist() == ["0_a_x.wav"]
    assert "same origin 'a'" in found["reason"].iloc[0]


def test_folds_hold_out_whole_origins() -> None:
    classes, speakers = np.arange(40) % 4, [str(number // 8) for number in range(40)]
    folds = assign_folds(classes, speakers, folds=5, seed=0, whole=True)
    assert sorted(set(folds)) == [0, 1, 2, 3, 4]
    assert pd.Series(folds).groupby(speakers).nunique().max() == 1


def test_a_class_of_a_single_origin_is_never_held_out() -> None:
    classes, speakers = np.array([0, 0, 1, 1, 2, 2]), ["a", "b", "a", "b", "a", "a"]
    folds = assign_folds(classes, speakers, folds=2, seed=0, whole=True)
    assert folds[4:].tolist() == [NEVER, NEVER]
    assert (folds[:4] >= 0).all()


def test_a_single_origin_holds_nothing_out() -> None:
    assert (assign_folds(np.array([0, 1, 0, 1]), ["a"] * 4, folds=2, seed=0, whole=True) == NEVER).all()
