"""Answers by file: all or none, none twice, every fault named and counted, the test split left as it is."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest
from labeling_world import HEADER, TEST, TRAIN, build, counted

from components.core.errors import WinnowError
from components.datasets.ledger import in_force, read_ledger
from pipelines.labeling import importing
from pipelines.labeling.exporting import export_questions
from pipelines.labeling.importing import import_answers
from pipelines.labeling.places import LEDGER

FILE = Path("answers.json")
AT = "2026-03-01T10:00:00.250000Z"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    build()


def bring(path: Path = FILE, *, annotator: str = "", test: bool = False) -> str:
    return import_answers(path, annotator=annotator, test=test)


def annotation(number: int, label: str, who: Any = 7, at: str = AT, **others: Any) -> dict[str, Any]:
    choice = {"type": "choices", "from_name": "label", "to_name": "image", "value": {"choices": [label]}}
    base = {"id": number, "completed_by": who, "was_cancelled": False, "updated_at": at, "lead_time": 3.21}
    return {**base, "result": [choice] if label else [], **others}


def task(identity: str, *annotations: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {"id": 99, "data": {"sample_id": identity, **data}, "annotations": list(annotations), "predictions": [{}]}


def save(*tasks: Any) -> None:
    FILE.write_text(json.dumps(tasks))


def refused(says: str, **how: Any) -> None:
    before = LEDGER.read_bytes()
    with pytest.raises(WinnowError) as error:
        bring(**how)
    assert says in str(error.value)
    assert len(str(error.value)) < 600
    assert LEDGER.read_bytes() == before


def test_two_annotators_one_who_skips_and_one_who_disagrees_are_all_told() -> None:
    save(
        task(TRAIN[0], annotation(1, "ant", {"id": 7, "email": "mira@example.org"}), annotation(2, "bee", 8)),
        task(TRAIN[1], annotation(3, "", 8, was_cancelled=True), sha256=TRAIN[1] * 4),
        task(TRAIN[2], annotation(4, "")),
        task(TRAIN[3]),
    )
    said = bring()
    assert "2 labels joined" in said
    assert '1 "cannot tell", "none of these" or skipped' in said
    assert "2 without an answer" in said
    assert f"1 of these samples have labels that disagree ({TRAIN[0]})" in said
    rows = read_ledger(LEDGER)
    assert rows["annotator"].tolist() == ["mira@example.org", "label_studio:8", "label_studio:8"]
    assert rows["cost"].tolist() == [3.2] * 3
    assert rows["round"].tolist() == [1] * 3
    assert rows["note"].tolist()[2] == "cannot tell; label_studio:3"


def test_the_same_file_again_adds_nothing_and_a_longer_one_what_is_new() -> None:
    save(task(TRAIN[0], annotation(1, "ant")), task(TRAIN[1], annotation(2, "", was_cancelled=True)))
    bring()
    before = LEDGER.read_bytes()
    assert "2 in the ledger already" in bring()
    assert LEDGER.read_bytes() == before
    save(task(TRAIN[0], annotation(1, "ant")), task(TRAIN[2], annotation(5, "cow")))
    FILE.write_bytes(b"\xef\xbb\xbf" + FILE.read_bytes())  # as some programs save text
    assert "1 label joined" in bring()
    assert counted("label_studio:7") == {TRAIN[0]: "ant", TRAIN[2]: "cow"}


def test_in_any_order_of_tasks_the_same_answers_stand() -> None:
    tasks = [task(TRAIN[n], annotation(n, ("ant", "bee")[n % 2], n % 3, f"2026-03-0{1 + n % 9}")) for n in range(12)]
    tasks += [task(TRAIN[0], annotation(40, "cow", 0, "2026-03-09"))]
    found = []
    for seed in range(4):
        LEDGER.write_text(HEADER)
        save(*random.Random(seed).sample(tasks, len(tasks)))
        assert "1 beside another one by the same person" in bring()
        rows = in_force(read_ledger(LEDGER))
        found.append(sorted(rows[["id", "annotator", "label"]].values.tolist()))
    assert found[0] == found[1] == found[2] == found[3]
    assert [TRAIN[0], "label_studio:0", "cow"] in found[0]


def test_what_was_changed_or_deleted_in_the_tool_is_so_in_the_ledger() -> None:
    save(task(TRAIN[0], annotation(1, "ant")), task(TRAIN[1], annotation(2, "bee")))
    bring()
    save(task(TRAIN[0], annotation(1, "cow", at="2026-03-02T10:00:00Z")), task(TRAIN[1]))
    assert "1 taken back" in bring()
    assert counted("label_studio:7") == {TRAIN[0]: "cow"}
    before = LEDGER.read_bytes()
    bring()
    assert LEDGER.read_bytes() == before
    save(task(TRAIN[0], annotation(1, "ant")))
    assert "older than what the same person said since" not in bring()  # the very row is there
    assert counted("label_studio:7") == {TRAIN[0]: "cow"}


def test_the_short_form_of_the_tool_is_the_same_answers() -> None:
    save(task(TRAIN[0], annotation(1, "ant")))
    bring()
    short = {"id": 99, "sample_id": TRAIN[0], "label": "ant", "annotator": 7, "annotation_id": 1, "updated_at": AT}
    save(short, {**short, "sample_id": TRAIN[1], "annotation_id": 2, "label": {"choices": ["bee"]}})
    assert "1 label joined" in bring()
    assert counted("label_studio:7") == {TRAIN[0]: "ant", TRAIN[1]: "bee"}


def test_labels_of_test_samples_are_left_out_and_counted_unless_they_are_what_is_brought() -> None:
    save(task(TRAIN[0], annotation(1, "ant")), task(TEST[0], annotation(2, "bee")))
    assert "1 about test samples: left out" in bring()
    assert set(in_force(read_ledger(LEDGER))["id"]) == {TRAIN[0]}
    assert "1 about training samples: left out" in bring(test=True)
    assert set(in_force(read_ledger(LEDGER))["id"]) == {TRAIN[0], TEST[0]}


def test_all_faults_are_named_and_counted_and_nothing_is_written() -> None:
    save(
        task(TRAIN[0], annotation(1, "ant")),
        task("feed", annotation(2, "ant")),
        task("'><script>alert(1)</script>", annotation(3, "ant")),
        task(TRAIN[1], annotation(4, "ants")),
        task(TRAIN[2], annotation(5, "bee"), sha256="0" * 63 + "1"),
        task(TRAIN[3], annotation(6, "bee"), annotation(7, "cow")),
        task(TRAIN[4], annotation(8, "bee", at="soon")),
    )
    for part in (
        "2 about samples that are not there (task 2: 'feed'; task 3:",
        "1 of no class there is (task 4: 'ants': did you mean 'ant'",
        "1 about samples whose content is another now (by sha256) (task 5",
        "1 contradicting another one of the same person at the same time (task 6",
        "1 no row of the ledger (task 7",
    ):
        refused(part)


def test_several_choices_are_no_label() -> None:
    both = {"type": "choices", "value": {"choices": ["ant", "bee"]}}
    save(task(TRAIN[0], annotation(1, "", result=[both])))
    refused("1 with several choices (task 1: 'ant, bee')")


@pytest.mark.parametrize("cut", [1, 40, 200, -1])
def test_a_file_cut_anywhere_brings_nothing(cut: int) -> None:
    save(*(task(TRAIN[n], annotation(n, "ant")) for n in range(5)))
    FILE.write_bytes(FILE.read_bytes()[:cut])
    refused("is all of the file there?")


@pytest.mark.parametrize(
    "content", ['{"data": {}}', "[1]", '[{"data": 3}]', "[" * 9999, '[{"data": {}, "annotations": [1]}]']
)
def test_what_is_no_export_is_refused(content: str) -> None:
    FILE.write_text(content)
    refused("is no export of Label Studio")


def test_a_file_too_large_to_hold_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    with FILE.open("wb") as file:
        file.truncate(2**30)  # no room is taken
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("was read"))
    with pytest.raises(WinnowError, match=r"has 1,024 MiB, and 128 are read at most: export it in parts"):
        importing._read(FILE, "")
    with pytest.raises(WinnowError, match="is no file"):
        bring(Path("/dev/zero"))


def test_a_sheet_that_was_exported_and_filled_in_comes_back() -> None:
    said = export_questions(Path("questions.csv"), test=False, count=20)
    assert "20 questions" in said
    with Path("questions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["sha256"] == TRAIN[0] * 4
    assert (rows[0]["guess"], rows[0]["label"]) == ("bee", "")
    for row, label in zip(rows, ("ant", " Bee "), strict=False):
        row["label"] = label.strip().lower()
    with Path("filled.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows({**row, "annotator": "noor"} for row in rows)
    said = bring(Path("filled.csv"))
    assert "2 labels joined" in said
    assert "18 without an answer" in said
    assert "not read: path, guess, confidence" in said
    assert counted("noor") == {TRAIN[0]: "ant", TRAIN[1]: "bee"}
    before = LEDGER.read_bytes()
    bring(Path("filled.csv"))
    assert LEDGER.read_bytes() == before
    assert "18 questions" in export_questions(Path("more.csv"), test=False, count=20)


def test_tasks_for_the_tool_hold_id_hash_guess_and_what_shows_the_sample() -> None:
    export_questions(Path("tasks.json"), test=False, count=20)
    tasks = json.loads(Path("tasks.json").read_text())
    assert len(tasks) == 20
    data, prediction = tasks[0]["data"], tasks[0]["predictions"][0]
    assert (data["sample_id"], data["sha256"]) == (TRAIN[0], TRAIN[0] * 4)
    assert data["picture"].startswith("data:image/png;base64,")
    assert (prediction["score"], prediction["result"][0]["value"]) == (0.4, {"choices": ["bee"]})
    config = Path("tasks.xml").read_text()
    assert f'toName="{prediction["result"][0]["to_name"]}"' in config
    assert '<Choice value="cow"/>' in config
    for row in tasks[:2]:
        row["annotations"] = [annotation(1 + tasks.index(row), "ant")]
    save(*tasks)
    assert "2 labels joined" in bring()
    with pytest.raises(WinnowError, match=r"neither \.csv"):
        export_questions(Path("tasks.txt"), test=False, count=20)


def test_rows_in_the_ledgers_form_as_the_gallery_saves_them_come_in_and_withdraw() -> None:
    sheet = Path("winnow-answers.csv")
    sheet.write_text(
        HEADER + f"{TRAIN[0]},ant,mira,person,,2.5,2026-03-01T10:00:00Z,\n"
        f"{TRAIN[1]},,mira,person,,,2026-03-01T10:00:05Z,none of these\n{TRAIN[2]},cow,mira,person,,,2026-03-01,\n"
    )
    assert "2 labels joined" in bring(sheet)
    sheet.write_text(HEADER + f"{TRAIN[0]},,mira,person,,,2026-03-02T10:00:00Z,\n")
    assert "1 taken back" in bring(sheet)
    assert counted() == {TRAIN[2]: "cow"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"id,label\na,b\n", "no column 'annotator'"),
        (b"name,label,annotator\n", "no column 'id'"),
        (b"", "no column 'id'"),
        (b"id,label,annotator\na,b\n", "line 2: 2 of 3 fields"),
        (b'id,label,annotator\na,"b,c\n', "not valid CSV"),
        (b"id,label,annotator\n\xe9,b,c\n", "not UTF-8"),
    ],
)
def test_a_sheet_that_is_none_is_refused(content: bytes, says: str) -> None:
    Path("a.csv").write_bytes(content)
    refused(says, path=Path("a.csv"))


def test_whose_a_sheet_is_can_be_said_beside_it() -> None:
    Path("a.csv").write_text(f"id,label\n{TRAIN[0]},ant\n")
    bring(Path("a.csv"), annotator="noor")
    assert counted("noor") == {TRAIN[0]: "ant"}


@pytest.mark.parametrize("source", ["rule", "oracle"])
def test_rows_that_no_person_gave_are_refused(source: str) -> None:
    Path("a.csv").write_text(f"id,label,annotator,source\n{TRAIN[0]},ant,mira,{source}\n")
    refused(f"the source '{source}' is no person's", path=Path("a.csv"))


def test_a_name_said_twice_is_refused_and_answers_that_are_no_choice_are_counted() -> None:
    FILE.write_text('[{"data": {"sample_id": "a", "sample_id": "b"}}]')
    refused("says 'sample_id' twice")
    drawn = {"type": "rectanglelabels", "from_name": "box", "value": {"x": 1}}
    also = {"type": "choices", "from_name": "quality", "value": {"choices": ["good"]}}
    chosen = {"type": "choices", "from_name": "label", "value": {"choices": ["bee"]}}
    save(
        task(TRAIN[0], annotation(1, "", result=[drawn])),
        task(TRAIN[1], annotation(2, "", result=[also, chosen])),
        task(TRAIN[2], annotation(3, "")),
    )
    said = bring()
    assert "1 that say something else than one of the choices: left out" in said
    assert "1 without an answer" in said
    assert counted("label_studio:7") == {TRAIN[1]: "bee"}
