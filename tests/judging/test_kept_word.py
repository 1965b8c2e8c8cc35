"""Whether sets keep their word is said as it was measured."""

import pytest

from components.judging.kept_word import beside_stated


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.72, 0.75, "less than the 90 % stated, so rely on 74 % and not on what is stated"),
        (0.88, 0.92, "the 90 % stated, as far as this test split can tell"),
        (0.95, 0.97, "more than the 90 % stated, as a set holds the likeliest class whatever is stated"),
    ],
)
def test_measured_and_stated_are_compared_by_the_interval(low: float, high: float, said: str) -> None:
    figures = {"coverage_stated": 0.9, "coverage": (low + high) / 2 + 0.001, "coverage_low": low, "coverage_high": high}
    assert beside_stated(figures) == said
