"""The split: by hash of the group, so that adding data moves nobody."""

import hashlib

import pandas as pd

from components.datasets.split import assign_splits, leaking, name_groups

IDS = pd.Series([hashlib.sha256(str(n).encode()).hexdigest()[:16] for n in range(2000)])


def frame(groups, splits):
    return pd.DataFrame(
        {"group": groups, "split": pd.Series(splits, dtype="str"), "path": [f"p{n}" for n in range(len(groups))]}
    )


def test_adding_data_moves_nobody():
    half = assign_splits(frame(IDS[:1000], [None] * 1000), 0.25)
    whole = assign_splits(frame(IDS, [None] * 2000), 0.25)
    assert half.tolist() == whole[:1000].tolist()


def test_about_the_asked_share_becomes_test():
    assert abs((assign_splits(frame(IDS, [None] * 2000), 0.25) == "test").mean() - 0.25) < 0.03


def test_a_larger_fraction_only_adds_test_samples():
    small, large = (assign_splits(frame(IDS, [None] * 2000), share) == "test" for share in (0.1, 0.3))
    assert (large | ~small).all()


def test_a_group_stays_together_and_a_given_split_stands():
    splits = assign_splits(frame([IDS[0]] * 3 + [IDS[1]], ["train", None, None, "test"]), 0.99)
    assert splits.tolist() == ["train", "train", "train", "test"]


def test_a_group_is_named_by_its_first_id():
    import numpy as np

    assert name_groups(pd.Series(["b", "a", "c"]), np.array([0, 0, 1])).tolist() == ["a", "a", "c"]


def test_only_training_rows_of_groups_on_both_sides_leak():
    leaks = leaking(frame(["g", "g", "h", "k"], ["train", "test", "train", "test"]))
    assert leaks[["group", "path", "twin"]].to_numpy().tolist() == [["g", "p0", "p1"]]
