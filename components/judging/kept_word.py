"""Do prediction sets keep their word? The measured coverage beside the stated one, in words."""

from collections.abc import Mapping


def beside_stated(figures: Mapping[str, float]) -> str:
    """How `coverage`, between its `_low` and `_high`, stands to `coverage_stated`: the end of a sentence, no stop."""
    stated, measured = figures["coverage_stated"], figures["coverage"]
    if figures["coverage_high"] < stated:
        return f"less than the {100 * stated:g} % stated, so rely on {100 * measured:.0f} % and not on what is stated"
    if figures["coverage_low"] > stated:
        return f"more than the {100 * stated:g} % stated, as a set holds the likeliest class whatever is stated"
    return f"the {100 * stated:g} % stated, as far as this test split can tell"
