"""DVC's words: those of a stage are not said twice, and who was killed is told."""

import io

import pytest

from pipelines.few_words import FewWords, few_words

FAILED = "ERROR: failed to reproduce 'label': failed to run: python -m components.core.stage label, exited with {}"


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (FAILED.format(1), None),
        (FAILED.format(75), None),
        (FAILED.format(-9), "winnow: label: it was killed, by a person or for want of memory: run it again."),
        (FAILED.format(130), "winnow: label: stopped."),
        ("ERROR: interrupted by the user", None),
        ("ERROR: failed to reproduce 'label': output 'x' does not exist", "as it is"),
        ("WARNING: Process 'dvc repro' with (Pid 1), in RWLock-file 'x' had been killed. Auto removed it from", None),
        ("winnow: label: the budget is odd.", "as it is"),
    ],
)
def test_a_line_is_left_out_said_otherwise_or_passed_on(line: str, left: str | None) -> None:
    assert few_words(line) == (line if left == "as it is" else left)


def test_lines_may_come_in_pieces() -> None:
    stream = io.StringIO()
    few = FewWords(stream)
    for piece in ("one\ntw", "o\n", FAILED.format(1) + "\n"):
        few.write(piece)
    assert stream.getvalue() == "one\ntwo\n"
