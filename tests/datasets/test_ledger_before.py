"""An earlier ledger is a first part of today's, found by its md5."""

import hashlib
from pathlib import Path

import pytest

from components.datasets.ledger_before import ledger_before

LINES = [b"id,label\n", b"a,cat\n", b"b,dog\r\n", b"c,emu\n"]


@pytest.mark.parametrize("count", range(5))
def test_every_first_part_is_found(tmp_path: Path, count: int) -> None:
    path, wanted = tmp_path / "ledger.csv", b"".join(LINES[:count])
    path.write_bytes(b"".join(LINES))
    assert ledger_before(path, hashlib.md5(wanted).hexdigest()) == wanted


def test_one_without_its_last_lines_end_is_found(tmp_path: Path) -> None:
    path, wanted = tmp_path / "ledger.csv", b"id,label\na,cat"
    path.write_bytes(b"".join(LINES))
    assert ledger_before(path, hashlib.md5(wanted).hexdigest()) == wanted


def test_one_whose_rows_were_changed_is_not(tmp_path: Path) -> None:
    path = tmp_path / "ledger.csv"
    path.write_bytes(b"".join(LINES))
    assert ledger_before(path, hashlib.md5(b"id,label\na,cow\n").hexdigest()) is None
    assert ledger_before(tmp_path / "none", hashlib.md5(b"").hexdigest()) is None
