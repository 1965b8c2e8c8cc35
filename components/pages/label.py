"""The page to label on: one question at a time, by number keys or by hand, kept by the server that shows it."""

import secrets
from collections.abc import Sequence

from components.datasets.ledger import PASSES
from components.pages.digit_keys import digit_keys
from components.pages.templates import templates

TEMPLATE = "label.html.jinja"
ASKED = "The sample that is asked about"


def render(*, classes: Sequence[str], noun: str, said: str, total: int, then: float = 0) -> tuple[str, str]:
    """The page, and the word by which its own script is known (a nonce). said: where the questions come from;
    total: how many there are; then: seconds after the last answer in which the next run starts by itself, 0: it does
    not. Every text from the data is escaped; nothing is loaded from elsewhere."""
    nonce = secrets.token_urlsafe(16)
    page = templates().get_template(TEMPLATE)
    keys = digit_keys(classes)
    told = {"classes": classes, "noun": noun, "said": said, "total": total, "then": then}
    return page.render(**told, keys=keys, nonce=nonce, passes=PASSES, many=not all(keys)), nonce
