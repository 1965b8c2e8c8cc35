"""The ledger as it was: it is append-only, so an earlier one is a first part of today's, found by its md5."""

import hashlib
from pathlib import Path


def ledger_before(ledger: Path, md5: str) -> bytes | None:
    """The first lines of `ledger` whose md5 is this, with or without the last line's end; None where none are."""
    if not ledger.is_file():
        return None
    content, running = ledger.read_bytes(), hashlib.md5(usedforsecurity=False)
    length = 0
    for line in content.splitlines(keepends=True):
        bare = line.rstrip(b"\r\n")
        unended = running.copy()
        unended.update(bare)
        running.update(line)
        length += len(line)
        if running.hexdigest() == md5:
            return content[:length]
        if unended.hexdigest() == md5:
            return content[: length - len(line) + len(bare)]
    return b"" if md5 == hashlib.md5(usedforsecurity=False).hexdigest() else None
