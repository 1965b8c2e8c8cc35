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
    assert settings["pretrain"]["epochs"] == 100
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
