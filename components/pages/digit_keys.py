"""Which digit answers with which class, on every page that asks."""

from collections.abc import Sequence

DIGITS = "1234567890"


def digit_keys(classes: Sequence[str]) -> list[str]:
    """The key of each class: itself where all classes are digits, else its place; '' past the tenth."""
    if all(len(name) == 1 and name in DIGITS for name in classes):
        return list(classes)
    return [DIGITS[place] if place < len(DIGITS) else "" for place in range(len(classes))]
