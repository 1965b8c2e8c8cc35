"""Answers taken back: a round's, a person's; what is wrong changes nothing."""

from pathlib import Path

import pytest
from labeling_world import IDS, build, counted

from components.core.errors import WinnowError
from components.datasets.ledger import read_ledger, without_effect
from pipelines.labeling.importing import import_answers
from pipelines.labeling.places import LEDGER
from pipelines.labeling.retract import retract


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    build()


def test_a_round_or_a_person_is_taken_back_and_what_it_touches_is_said() -> None:
    Path("a.csv").write_text(
        "id,label,annotator,round,note\n"
        + f"{IDS[0]},ant,mira,1,\n{IDS[1]},bee,mira,2,\n{IDS[0]},ant,noor,1,\n{IDS[2]},,mira,1,cannot tell\n"
    )
    import_answers(Path("a.csv"), annotator="", test=False)
    before = LEDGER.read_bytes()
    for wrong, says in (
        ((None, ""), "--round N"),
        ((9, ""), "it has those of 1, 2"),
        ((None, "mir"), "did you mean 'mira'"),
    ):
        with pytest.raises(WinnowError, match=says):
            retract(*wrong)
    assert LEDGER.read_bytes() == before
    said = retract(1, "mira")
    assert "1 label of 1 samples withdrawn" in said
    assert "and 1 answers without a label; 0 of these samples without any now" in said
    assert LEDGER.read_bytes().startswith(before)
    assert not any(without_effect(read_ledger(LEDGER)).values())
    assert (counted("mira"), counted("noor")) == ({IDS[1]: "bee"}, {IDS[0]: "ant"})
    assert "1 of these samples without any now" in retract(None, "noor")
    with pytest.raises(WinnowError, match="has no answer of 'noor' that stands"):
        retract(None, "noor")
