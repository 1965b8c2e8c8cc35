"""Exact copies: which one stays, and what becomes of the others."""

import pandas as pd

from components.datasets.duplicates import settle_copies


def settle(*rows):
    found = pd.DataFrame(rows, columns=["path", "sha256", "label", "split"]).astype("str").replace("-", None)
    kept, left_out = settle_copies(found, "picture")
    return kept.set_index("path"), left_out.set_index("path")


def test_without_copies_everything_stays():
    kept, left_out = settle(("a", "1", "x", "-"), ("b", "2", "x", "-"))
    assert len(kept) == 2
    assert left_out.empty


def test_the_first_path_of_copies_stays():
    kept, left_out = settle(("b", "1", "x", "-"), ("a", "1", "x", "-"), ("c", "1", "x", "-"))
    assert list(kept.index) == ["a"]
    assert left_out["kind"].tolist() == ["duplicate", "duplicate"]
    assert left_out["twin"].tolist() == ["a", "a"]
    assert left_out.loc["b", "reason"] == "the same picture is kept as a."


def test_copies_under_two_classes_all_go_and_point_at_each_other():
    kept, left_out = settle(("a", "1", "x", "-"), ("b", "1", "y", "-"), ("c", "1", "-", "-"), ("d", "2", "x", "-"))
    assert list(kept.index) == ["d"]
    assert (left_out["kind"] == "conflict").all()
    assert left_out.loc["a", "twin"] == "b"
    assert left_out.loc["b", "twin"] == "a"
    assert left_out.loc["c", "twin"] == "a"
    assert "'x' and 'y'" in left_out.loc["a", "reason"]


def test_of_copies_on_both_sides_the_test_copy_stays():
    kept, left_out = settle(("a", "1", "x", "train"), ("b", "1", "x", "test"), ("c", "1", "x", "test"))
    assert list(kept.index) == ["b"]
    assert left_out.loc["a", "kind"] == "leak"
    assert left_out.loc["c", "kind"] == "duplicate"
    assert left_out.loc["a", "twin"] == "b"


def test_an_unlabeled_copy_takes_over_the_class_of_its_twin():
    kept, left_out = settle(("a", "1", "-", "train"), ("b", "1", "x", "train"))
    assert kept.loc["a", "label"] == "x"
    assert left_out.loc["b", "kind"] == "duplicate"


def test_the_order_of_the_rows_does_not_matter():
    rows = [
        ("a", "1", "x", "train"),
        ("b", "1", "x", "test"),
        ("c", "2", "x", "-"),
        ("d", "2", "y", "-"),
        ("e", "3", "-", "-"),
    ]
    forward, backward = settle(*rows), settle(*rows[::-1])
    for one, other in zip(forward, backward, strict=True):
        pd.testing.assert_frame_equal(one.sort_index(), other.sort_index())
