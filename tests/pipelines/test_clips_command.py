"""`winnow clips`: one command from a folder or a table to settings that suit speech, checked before any is written."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.errors import WinnowError
from pipelines.clips import choose_for_clips
from pipelines.inline import PROJECT
from pipelines.settings_together import check_together
from tests.clips import write_clips


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text((PROJECT / "params.yaml").read_text())
    write_clips(Path("recordings"), 36)


def _choose(source: str = "recordings", speaker: str | None = None, **columns: Any) -> dict[str, Any]:
    choose_for_clips(source, budget=12, rate=8000, seconds=0.5, speaker=speaker, columns=columns)
    settings: dict[str, Any] = yaml.safe_load(Path("params.yaml").read_text())
    return settings


def test_all_settings_are_written_and_fit_together(capsys: pytest.CaptureFixture[str]) -> None:
    settings = _choose(speaker="_([a-z]+)_")
    assert settings["ingest"]["modality"] == {"name": "speech", "sample_rate": 8000, "seconds": 0.5, "floor": 45.0}
    assert settings["ingest"]["group"] == {"pattern": "_([a-z]+)_"}
    assert settings["pretrain"]["encoder"] == {"name": "mel_network"}
    check_together({**settings, "pretrain": {**settings["pretrain"], "workers": 0}})
    said = capsys.readouterr().err
    assert "36 clips, 3 classes: falls, rises, stays." in said
    assert "whose voice" not in said


def test_without_a_speaker_that_is_said_and_an_earlier_one_is_taken_out(capsys: pytest.CaptureFixture[str]) -> None:
    _choose(speaker="_([a-z]+)_")
    settings = _choose()
    assert "group" not in settings["ingest"]
    assert "nothing says whose voice a clip is" in capsys.readouterr().err


def test_a_folder_with_a_table_is_read_by_it_and_a_column_of_speakers_is_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = sorted(Path("recordings").rglob("*.wav"))
    rows = [f"{file.relative_to('recordings')},{file.parent.name},{file.name.split('_')[1]}" for file in files]
    Path("recordings/metadata.csv").write_text("file_name,word,speaker\n" + "\n".join(rows))
    settings = _choose(label="word")
    assert settings["ingest"]["source"] == "clips:recordings"
    assert settings["ingest"]["group"] == {"column": "speaker"}
    assert settings["ingest"]["columns"] == {"label": "word"}
    assert "origin from 'speaker'" in capsys.readouterr().err
    assert "group" not in _choose(speaker="", label="word")["ingest"]


@pytest.mark.parametrize(
    ("source", "speaker", "columns", "why"),
    [
        ("nowhere", None, {}, "nowhere"),
        ("recordings", "(", {}, "regular expression"),
        ("recordings", None, {"label": "word"}, "is no table"),
        ("empty", None, {}, "is empty"),
    ],
)
def test_nothing_is_written_for_what_cannot_be(
    source: str, speaker: str | None, columns: dict[str, str], why: str
) -> None:
    Path("empty").mkdir()
    before = Path("params.yaml").read_text()
    with pytest.raises(WinnowError, match=why):
        _choose(source, speaker, **columns)
    assert Path("params.yaml").read_text() == before
