"""What an import, an export, a page and a retraction must not do to labels that are there."""

import json
from pathlib import Path

import pytest

from components.core.errors import WinnowError
from components.datasets.ledger import append, read_ledger
from components.datasets.names import normal
from pipelines.labeling.csv_answers import read_csv_answers
from pipelines.labeling.exporting import export_questions
from pipelines.labeling.label_studio_answers import read_label_studio
from pipelines.labeling.retract import retract

ROW = {"id": "a", "label": "cat", "annotator": "mira", "source": "person"}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/labels").mkdir(parents=True)


def test_blanks_are_nobody_whose_answers_to_take_back() -> None:
    append(Path("data/labels/ledger.csv"), [ROW])
    assert normal("  ") == ""
    with pytest.raises(WinnowError, match="say whose"):
        retract(None, "  ")


@pytest.mark.parametrize("name", ["q.csv", "q.json", "folder.csv"])
def test_a_file_that_is_there_is_not_exported_over(name: str) -> None:
    Path("folder.csv").mkdir()
    place = Path(name) if name.startswith("folder") else Path(name.replace("json", "xml"))
    if not place.exists():
        place.write_text("answers")
    with pytest.raises(WinnowError, match="is there already"):
        export_questions(Path(name), test=False, count=5)


@pytest.mark.parametrize("note", ["x" * 200_000, "\ud800"])
def test_what_the_ledger_could_not_be_read_with_is_not_written(note: str) -> None:
    ledger = Path("data/labels/ledger.csv")
    append(ledger, [ROW])
    with pytest.raises(WinnowError, match="column note: longer"):
        append(ledger, [ROW | {"note": note}])
    assert len(read_ledger(ledger)) == 1


def test_tasks_without_a_list_of_annotations_take_nothing_back() -> None:
    tasks = [{"data": {"sample_id": "a"}}, {"data": {"sample_id": "b"}, "annotations": []}]
    assert read_label_studio(Path("t.json"), json.dumps(tasks).encode()).whole == {("b", ""): set()}


def test_choices_that_are_no_list_are_refused() -> None:
    task = [{"annotation_id": 1, "id": "a", "label": {"choices": None}}]
    with pytest.raises(WinnowError, match="no list of choices"):
        read_label_studio(Path("t.json"), json.dumps(task).encode())


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(WinnowError, match="several columns 'label'"):
        read_csv_answers(Path("a.csv"), b"id,label,label\na,3,4\n", "mira")
