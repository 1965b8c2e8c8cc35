"""One form for every name that a person types or a folder bears, so that what looks the same is the same."""

import unicodedata


def normal(name: str) -> str:
    """Composed (NFC), without blanks around it, and one blank for each run of blanks within it."""
    return " ".join(unicodedata.normalize("NFC", name).split())
