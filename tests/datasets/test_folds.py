"""Folds hold labels out without ever taking a class away."""

import numpy as np
import pytest

from components.datasets.folds import assign_folds


def names(count: int) -> list[str]:
    return [f"g{number}" for number in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_holding_a_fold_out_never_takes_a_class_away(seed: int) -> None:
    classes = np.random.default_rng(seed).integers(0, 6, 30)
    folds = assign_folds(classes, names(30), folds=5, seed=seed)
    for fold in range(folds.max() + 1):
        assert set(classes[folds != fold]) == set(classes)


def test_each_class_is_spread_evenly() -> None:
    classes = np.repeat(np.arange(4), 10)
    folds = assign_folds(classes, names(40), folds=5, seed=0)
    table = np.zeros((4, 5), int)
    np.add.at(table, (classes, folds), 1)
    assert (table == 2).all()


def test_a_class_with_one_label_is_never_held_out() -> None:
    classes = np.array([0, 0, 1, 1, 2])
    folds = assign_folds(classes, names(5), folds=5, seed=0)
    assert folds[4] == -1
    assert (folds[:4] >= 0).all()


def test_fold_numbers_have_no_gap() -> None:
    folds = assign_folds(np.array([0, 0, 1, 1, 1]), names(5), folds=9, seed=3)
    assert sorted(set(folds.tolist())) == list(range(folds.max() + 1))


@pytest.mark.parametrize(("classes", "folds"), [([0, 1, 2, 3], 5), ([0, 0, 0, 1], 5), ([0, 0, 1, 1], 1), ([], 5)])
def test_too_few_labels_or_folds_hold_nothing_out(classes: list[int], folds: int) -> None:
    assert (assign_folds(np.array(classes, np.int64), names(len(classes)), folds=folds, seed=0) == -1).all()


def test_near_duplicates_share_a_fold() -> None:
    classes = np.repeat([0, 1], 12)
    groups = [f"g{number // 3}" for number in range(24)]
    folds = assign_folds(classes, groups, folds=4, seed=0)
    assert all(len(set(folds[start : start + 3])) == 1 for start in range(0, 24, 3))
    assert len(set(folds.tolist())) == 4


def test_the_seed_decides() -> None:
    classes = np.repeat([0, 1], 20)
    first, again, other = (assign_folds(classes, names(40), folds=5, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
