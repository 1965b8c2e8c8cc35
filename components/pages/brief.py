"""A sample in one line, for long lists: the words that its kind of data shows it by."""

import re
from html import unescape

from components.modalities import Modality
from components.pages.shown import Array

MOST = 120  # characters
_TAG = re.compile(r"<[^>]*>")


def brief(modality: Modality, record: Array) -> str:
    """Text, not HTML: whoever sets it into a page escapes it."""
    words = unescape(_TAG.sub(" ", modality.show(record))).split()
    return " ".join(words)[:MOST]
