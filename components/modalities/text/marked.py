"""A text as its parts, and as a quotation in which those that count are marked."""

from collections.abc import Sequence
from html import escape

from components.modalities.text.words import spans
from components.modalities.worded import Mark, Part

MARK = (
    "background:rgba(224,130,20,{strength:.2f});color:inherit;border-bottom:2px solid rgb(200,100,0);border-radius:2px"
)
QUOTED = (
    "border-left:3px solid #bbb;margin:0;padding:2px 10px;text-align:left;overflow-wrap:anywhere;white-space:pre-wrap"
)
SHOWN = 600  # characters of a text on a page, where not all of it is asked for
BEFORE = 120  # characters shown before the part that counts most, where that is far from the beginning


def parts(text: str, seen: int, most: int) -> list[Part]:
    """Of the first `seen` words the places; several side by side together where there are more than `most`."""
    found = spans(text)[:seen]
    size = -(-len(found) // most) or 1
    return [(group[0][0], group[-1][1]) for group in (found[at : at + size] for at in range(0, len(found), size))]


def quotation(text: str, marks: Sequence[Mark], longest: int, caption: str) -> str:
    """At most so many characters as a block of HTML, everything escaped; around the strongest mark, the stronger the
    darker; the caption is told where a mouse points.
    """
    top = max((mark.fall for mark in marks), default=0.0)
    start, end = _window(text, marks, longest)
    shown, at = ["…" if start else ""], start
    for mark in sorted(marks, key=lambda one: one.part):
        first, last = max(mark.part[0], at), min(mark.part[1], end)
        if first < last:
            style = MARK.format(strength=0.12 + 0.5 * mark.fall / top)
            title, inner = f"without it the odds are {100 * mark.fall:.0f} % smaller", escape(text[first:last])
            shown += [escape(text[at:first]), f'<mark style="{style}" title="{title}">{inner}</mark>']
            at = last
    rest = text[at:end] if end == len(text) else text[at:end].rstrip() + "…"
    inner = "".join([*shown, escape(rest)])
    return f'<blockquote dir="auto" style="{QUOTED}" title="{escape(caption)}">{inner}</blockquote>'


def _window(text: str, marks: Sequence[Mark], longest: int) -> Part:
    """Which characters are shown; two of them give way to dots."""
    if len(text) <= longest:
        return 0, len(text)
    first = max(marks, key=lambda mark: mark.fall).part if marks else (0, 0)
    start = 0 if first[1] < longest else min(first[0] - BEFORE, len(text) - longest + 1)
    return start, min(start + longest - 1, len(text))
