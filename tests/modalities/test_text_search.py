"""Rules find texts by words of any script or by regular expressions, which the system ends where they take too long."""

import time

import numpy as np
import pytest

from components.modalities.text import Text, search
from components.modalities.worded import UnfitPattern
from tests.texts import records_of

TEXTS = ["The CUP was won, 3-2.", "a cupboard", "Wall  Street\nfell", "我喜歡電影。", "C++ & c", ""]


@pytest.mark.parametrize(
    ("kind", "pattern", "found"),
    [
        ("keyword", "cup", [0]),
        ("keyword", "wall street", [2]),
        ("keyword", "street wall", []),
        ("keyword", "電影", [3]),
        ("keyword", "c++", [4]),
        ("regex", r"cup\b", [0]),
        ("regex", r"(?-i:cup)", [1]),
        ("regex", r"\d+-\d+", [0]),
        ("regex", "^$", [5]),
    ],
)
def test_patterns_are_found_where_they_are(kind: str, pattern: str, found: list[int]) -> None:
    assert search.search(TEXTS, [(kind, pattern)], 5)[0].tolist() == found


def test_places_are_numbers_among_the_rows_asked_for_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "TEXTS", 2)
    records = records_of(["x", "boat", "y", "a boat", "z", "no"])
    rows, patterns = np.array([5, 3, 1, 0]), [("keyword", "boat"), ("regex", "b.at|no")]
    found = Text(Text.Config()).matches_of(records, rows, patterns, 5)
    assert [one.tolist() for one in found] == [[1, 2], [0, 1, 2]]


@pytest.mark.parametrize(
    ("patterns", "number", "said"),
    [
        ([("keyword", "a"), ("regex", "(a")], 1, "is no regular expression"),
        ([("regx", "a")], 0, "did you mean 'regex'"),
        ([("regex", "(" * 900 + ")" * 900)], 0, "is no regular expression"),
    ],
)
def test_the_first_pattern_that_is_none_is_told(patterns: list[tuple[str, str]], number: int, said: str) -> None:
    with pytest.raises(UnfitPattern, match=said) as refused:
        search.search([], patterns, 5)
    assert refused.value.number == number


def test_an_expression_that_would_take_years_is_ended_and_it_alone_is_named() -> None:
    patterns = [("regex", "a"), ("regex", "(a+)+$"), ("regex", "b")]
    before = time.process_time()
    with pytest.raises(UnfitPattern, match="more than 1 s of CPU time: make it simpler") as refused:
        search.search(["a" * 60 + "!"], patterns, 1)
    assert refused.value.number == 1
    assert time.process_time() - before < 1  # what took long was another process


def test_time_adds_up_over_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "TEXTS", 1)
    with pytest.raises(UnfitPattern, match="more than 1 s of CPU time"):
        search.search(["a" * 21 + "!"] * 60, [("regex", "(a+)+$")], 1)


def test_a_process_that_is_ended_otherwise_is_no_rules_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PROGRAM", [*search.PROGRAM[:1], "-c", "raise SystemExit(3)"])
    with pytest.raises(search.WinnowError, match="ended with code 3"):
        search.search(["a"], [("regex", "a")], 1)
