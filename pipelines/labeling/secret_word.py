"""A word that nobody can guess, in the address of a page that a server of ours shows."""

import os
import secrets
from pathlib import Path

_SHORTEST = 20


def secret_word(place: Path) -> str:
    """The word kept at `place`, for this user alone, so that open pages go on after their server has died."""
    place.parent.mkdir(exist_ok=True)
    if not place.is_file() or len(place.read_text(encoding="ascii")) < _SHORTEST:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24))
    return place.read_text(encoding="ascii")
