"""What is printed cannot steer a terminal, and an output that is gone is no accident."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.core.terminal import guarded, one_line, raw, visible

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[2Jcat", "\\x1b[2Jcat"),
        ("cat\rdog", "cat\\rdog"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\x07\x00", "a\\x07\\x00"),
        ("\udcff", "\\udcff"),
        ("é, 猫, tab\t", "é, 猫, tab\t"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(name: str, shown: str) -> None:
    assert visible(name) == shown


def test_a_name_is_one_line() -> None:
    assert one_line("cat\nwinnow: all is well") == "cat\\nwinnow: all is well"


def test_all_that_is_printed_is_shown_and_a_bar_may_still_draw(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded(needed=True):
        print("\x1b[31mcat")
        print("\x1b[Kbar", file=raw(sys.stderr))
    assert capsys.readouterr() == ("\\x1b[31mcat\n", "\x1b[Kbar\n")


def test_a_locale_without_the_character_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    with guarded(needed=True):
        print("é")
    stream.flush()
    assert stream.buffer.getvalue() == b"\\xe9\n"


@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        ("> /dev/full", 1, "winnow: standard output: No space left on device: free some room there"),
        (">&-", 1, "winnow: standard output is closed"),
        ("2>&-", 0, ""),
        ("| exit 0", 141, ""),
    ],
)
def test_an_output_that_takes_nothing_is_said_or_ends_quietly(where: str, code: int, said: str) -> None:
    pipe = where.startswith("|")
    line = f"sleep 0 && {sys.executable} -m pipelines.cli methods {where}"
    script = f"set -o pipefail; (sleep 3; exec {sys.executable} -m pipelines.cli methods) {where}" if pipe else line
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, env={**os.environ}, capture_output=True, text=True)
    assert done.returncode == code
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == bool(said)
