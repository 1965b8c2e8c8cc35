"""The page to label on: one question at a time, by number keys or by hand, kept by the server that shows it."""

import secrets
from collections.abc import Sequence

from components.datasets.ledger import PASSES
from components.pages.templates import templates

TEMPLATE = "label.html.jinja"
ASKED = "The sample that is asked about"
DIGITS = "1234567890"


def render(*, classes: Sequence[str], noun: str, said: str, total: int) -> tuple[str, str]:
    """The page, and the word by which its own script is known (a nonce). said: where the questions come from;
    total: how many there are. Every text from the data is escaped; nothing is loaded from elsewhere."""
    nonce = secrets.token_urlsafe(16)
    page = templates().get_template(TEMPLATE)
    keys = keys_of(classes)
    return page.render(
        classes=classes, keys=keys, noun=noun, said=said, total=total, nonce=nonce, passes=PASSES, many=not all(keys)
    ), nonce


def keys_of(classes: Sequence[str]) -> list[str]:
    """The digit that answers with each class: itself where all classes are digits, else by place; '' past the tenth."""
    if all(len(name) == 1 and name in DIGITS for name in classes):
        return list(classes)
    return [DIGITS[place] if place < len(DIGITS) else "" for place in range(len(classes))]
