"""`winnow label ...`: the ledger is mended by rows appended to it, all or none, and a second time changes nothing."""

from pathlib import Path

import pandas as pd
import pytest

from components.core.errors import WinnowError
from components.datasets.ledger import append, in_force, read_ledger
from components.datasets.oracle import write_oracle
from pipelines.commands.ledger import rename, withdraw
from pipelines.labeling.places import LEDGER, MANIFEST, ORACLE
from tests.pictures import write_manifest

IDS = [f"{number:016x}" for number in range(3)]
OLD = "1234567890123456"  # an id of digits alone, as it was before such ids got a letter
SHA = OLD + "0" * 48


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four samples of the classes ant and bee, one of which once had another id, and a few labels."""
    monkeypatch.chdir(tmp_path)
    MANIFEST.parent.mkdir(parents=True)
    Path("params.yaml").write_text("label: {classes: [ant, bee, cow]}\n")
    ids = [*IDS, OLD[:-1] + "a"]
    facts = {"path": "p", "split": "train", "group": ids, "width": 8, "height": 8, "mode": "L", "bytes": 1}
    write_manifest(MANIFEST, pd.DataFrame({"id": ids, "sha256": [*(one * 4 for one in IDS), SHA], **facts}))
    write_oracle(ORACLE, pd.DataFrame({"id": IDS[:2], "class": ["ant", "bee"]}), ["ant", "bee"])
    labels = [(IDS[0], "Ant", "ann"), (IDS[1], "bee", "ann"), (IDS[2], "Ant", "bob"), (OLD, "Ant", "ann")]
    say(*labels)


def say(*rows: tuple[str, str, str], at: str = "") -> None:
    append(LEDGER, [{"id": i, "label": name, "annotator": who, "source": "person", "at": at} for i, name, who in rows])


def counted() -> dict[str, str]:
    return dict(in_force(read_ledger(LEDGER))[["id", "label"]].values)


def test_a_class_is_renamed_by_new_rows_for_everyone_who_named_it(capsys: pytest.CaptureFixture[str]) -> None:
    say((IDS[0], "Ant", "cy"), at="2999-01-01")
    before = LEDGER.read_bytes()
    rename("Ant", "ant")
    assert LEDGER.read_bytes().startswith(before)
    assert "4 labels 'Ant' are 'ant' now" in capsys.readouterr().out
    assert counted()[IDS[0]] == "ant"
    after = LEDGER.read_bytes()
    with pytest.raises(WinnowError, match="has no label 'Ant' in force"):
        rename("Ant", "ant")
    assert LEDGER.read_bytes() == after


def test_a_class_may_be_renamed_to_one_of_the_settings_and_to_no_other() -> None:
    before = LEDGER.read_bytes()
    with pytest.raises(
        WinnowError, match=r"'beee' is no class of the source nor in label\.classes: did you mean 'bee'"
    ):
        rename("Ant", "beee")
    assert LEDGER.read_bytes() == before
    rename("bee", "cow")
    assert counted()[IDS[1]] == "cow"


def test_labels_of_what_is_gone_are_withdrawn_once_and_an_earlier_id_is_not_gone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say(("feed", "bee", "ann"), ("feed", "bee", "bob"), ("synthetic-0", "bee", "ann"))
    before = LEDGER.read_bytes()
    withdraw(gone=True)
    assert LEDGER.read_bytes().startswith(before)
    assert set(counted()) == {*IDS, OLD}
    after = LEDGER.read_bytes()
    withdraw(gone=True)
    assert LEDGER.read_bytes() == after
    assert "3 labels withdrawn" in capsys.readouterr().out


def test_nothing_is_withdrawn_where_no_label_at_all_is_of_the_source() -> None:
    LEDGER.unlink()
    say(("feed", "bee", "ann"), ("feee", "bee", "bob"))
    before = LEDGER.read_bytes()
    with pytest.raises(WinnowError, match=r"none of the 2 samples .* is ingest.source"):
        withdraw(gone=True)
    assert LEDGER.read_bytes() == before


def test_a_broken_ledger_is_not_added_to() -> None:
    with LEDGER.open("a") as file:
        file.write("a,cat\n")
    before = LEDGER.read_bytes()
    for mend in (lambda: withdraw(gone=True), lambda: rename("Ant", "ant")):
        with pytest.raises(WinnowError, match="line 6: 2 of 8 fields"):
            mend()
    assert LEDGER.read_bytes() == before
