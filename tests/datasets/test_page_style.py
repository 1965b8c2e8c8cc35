"""The style of the pages: text can be read by day and by night."""

import re

import pytest

from components.pages.style import STYLE

DAY, NIGHT = STYLE.split("@media screen")


def _luminance(color: str) -> float:
    """Relative, as WCAG 2 defines it, of `#rgb` or `#rrggbb`."""
    digits = color.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    shares = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [DAY, NIGHT], ids=["day", "night"])
def test_text_stands_out_from_whatever_it_stands_on(scheme: str) -> None:
    colors = dict(re.findall(r"--([\w-]+): (#\w+);", scheme))
    grounds = ("paper", "card", "soft", "soft-warn", "field")
    pairs = [(text, ground) for text in ("ink", "mute", "accent", "warn") for ground in grounds]
    for text, ground in [*pairs, ("on-accent", "accent")]:
        assert _contrast(colors[text], colors[ground]) >= 4.5, (text, ground)
    assert _contrast(colors["edge"], colors["card"]) >= 3  # what says where a button ends
