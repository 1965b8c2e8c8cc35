"""`winnow texts`: one command from a table to settings that suit texts, all checked before any is written."""

from pathlib import Path

import pytest
import yaml

from components.core.errors import WinnowError
from pipelines.inline import PROJECT
from pipelines.settings_together import check_together
from pipelines.texts import choose_for_texts


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text((PROJECT / "params.yaml").read_text())
    rows = "".join(f"Text number {number},{number % 5}\n" for number in range(800))
    Path("reviews.csv").write_text("review,stars\n" + rows)


def test_all_settings_are_written_and_fit_together() -> None:
    choose_for_texts("reviews.csv", budget=30, columns={"label": "stars"})
    settings = yaml.safe_load(Path("params.yaml").read_text())
    assert settings["ingest"]["source"] == "reviews.csv"
    assert settings["ingest"]["columns"] == {"label": "stars"}
    assert settings["pretrain"]["batch_size"] == 100
    assert settings["pretrain"]["epochs"] == 80
    assert settings["label"]["budget"] == 30
    assert "epochs" not in settings["finetune"]
    check_together({**settings, "pretrain": {**settings["pretrain"], "workers": 0}})


def test_columns_that_a_table_before_had_are_taken_out() -> None:
    choose_for_texts("reviews.csv", budget=30, columns={"label": "stars"})
    choose_for_texts("reviews.csv", budget=30, columns={})
    assert "columns" not in yaml.safe_load(Path("params.yaml").read_text())["ingest"]


def test_nothing_is_written_for_a_column_that_is_not_there() -> None:
    before = Path("params.yaml").read_text()
    with pytest.raises(WinnowError, match="did you mean 'stars'"):
        choose_for_texts("reviews.csv", budget=30, columns={"label": "star"})
    assert Path("params.yaml").read_text() == before


def test_which_columns_are_read_and_which_classes_there_are_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    choose_for_texts("reviews.csv", budget=30, columns={})
    said = capsys.readouterr().err
    assert "reviews.csv: text from 'review'; not read: 'stars'." in said
    assert "800 texts, none with a class: `--label COLUMN`" in said
    choose_for_texts("reviews.csv", budget=30, columns={"label": "stars"})
    assert "800 texts, 5 classes: 0, 1, 2, 3, 4." in capsys.readouterr().err


def test_policies_are_said_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    choose_for_texts("reviews.csv", budget=30, columns={"label": "stars"})
    said = capsys.readouterr().err
    assert "augment.policies is now\n    weak: {}\n    view: {crop: [0.3, 0.7]}\n" in said
    assert max(map(len, said.splitlines())) < 160


def test_a_folder_of_pictures_is_no_folder_of_texts() -> None:
    before = Path("params.yaml").read_text()
    Path("mine/cat").mkdir(parents=True)
    Path("mine/cat/0.png").write_bytes(b"content")
    with pytest.raises(WinnowError, match="`winnow photos mine`"):
        choose_for_texts("mine", budget=30, columns={})
    assert Path("params.yaml").read_text() == before


def _folder(ending: str) -> None:
    for label in ("sea", "city"):
        Path("mine", label).mkdir(parents=True)
        for number in range(20):
            Path("mine", label, f"{number}{ending}").write_text(f"text {number} about the {label}")


def test_a_folder_of_texts_is_taken_and_its_classes_and_texts_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    _folder(".txt")
    Path("mine/sea/notes.md").write_text("no text of these")
    choose_for_texts("mine", budget=10, columns={})
    assert yaml.safe_load(Path("params.yaml").read_text())["ingest"]["source"] == "mine"
    assert "40 texts, 2 classes: city, sea." in capsys.readouterr().err


def test_a_folder_without_classes_says_how_folders_say_them(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir()
    for number in range(40):
        Path("mine", f"{number}.txt").write_text(f"text {number}")
    choose_for_texts("mine", budget=10, columns={})
    said = capsys.readouterr().err
    assert "40 texts, none with a class: a folder for each says them." in said
    assert "--label" not in said


def test_a_folder_whose_files_are_all_left_out_holds_no_texts() -> None:
    _folder(".html")
    with pytest.raises(WinnowError, match="mine holds no texts"):
        choose_for_texts("mine", budget=10, columns={})


def test_columns_of_a_folder_are_refused() -> None:
    _folder(".txt")
    with pytest.raises(WinnowError, match="mine is no table, so it has no columns: leave out --label"):
        choose_for_texts("mine", budget=10, columns={"label": "stars"})


def test_a_table_without_a_row_is_refused() -> None:
    Path("reviews.csv").write_text("review,stars\n")
    with pytest.raises(WinnowError, match=r"reviews\.csv holds no texts"):
        choose_for_texts("reviews.csv", budget=30, columns={})
