"""A folder of pictures elsewhere is seen to change."""

import os
from pathlib import Path

import pytest

from components.core.errors import WinnowError
from components.datasets.sources._outside import check_noted
from pipelines.watch import NOTE, WEIGHTS_NOTE, note_source, note_weights


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "project"
    (home / "data/raw").mkdir(parents=True)
    monkeypatch.chdir(home)
    elsewhere = tmp_path / "pictures"
    (elsewhere / "cat").mkdir(parents=True)
    (elsewhere / "cat/1.png").write_text("1")
    return elsewhere


def _note(folder: Path) -> str:
    note_source({"ingest": {"source": str(folder)}})
    return NOTE.read_text()


def test_a_new_a_renamed_and_a_changed_file_each_change_the_note(folder: Path) -> None:
    notes = [_note(folder)]
    (folder / "cat/2.png").write_text("2")
    notes.append(_note(folder))
    (folder / "cat/2.png").rename(folder / "cat/3.png")
    notes.append(_note(folder))
    os.utime(folder / "cat/3.png", ns=(1, 1))
    notes.append(_note(folder))
    assert len(set(notes)) == 4
    assert _note(folder) == notes[-1]


def test_pictures_that_changed_after_the_note_are_not_read(folder: Path) -> None:
    _note(folder)
    check_noted(folder, Path("data/raw"))
    (folder / "cat/1.png.part").write_text("an upload in the middle")
    with pytest.raises(WinnowError, match=r"pictures changed since data/raw/source\.json was written"):
        check_noted(folder, Path("data/raw"))
    NOTE.unlink()  # plain `dvc repro` from the first
    check_noted(folder, Path("data/raw"))


@pytest.mark.parametrize("source", ["digits", "data/raw/mine", "torchvision:FashionMNIST"])
def test_what_dvc_sees_anyway_needs_no_note(folder: Path, source: str) -> None:
    _note(folder)
    note_source({"ingest": {"source": source}})
    assert not NOTE.exists()


def test_local_files_of_a_named_data_set_elsewhere_are_watched_too(folder: Path) -> None:
    note_source({"ingest": {"source": "torchvision:FashionMNIST", "root": str(folder)}})
    assert '"files": 1' in NOTE.read_text()


def test_a_changed_archive_outside_changes_the_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/raw").mkdir(parents=True)
    archive = tmp_path / "photos.zip"
    archive.write_bytes(b"one")
    note_source({"ingest": {"source": str(archive)}})
    before = NOTE.read_text()
    note_source({"ingest": {"source": str(archive)}})
    assert NOTE.read_text() == before
    archive.write_bytes(b"another")
    note_source({"ingest": {"source": str(archive)}})
    assert NOTE.read_text() != before
    archive.unlink()
    note_source({"ingest": {"source": str(archive)}})
    assert not NOTE.exists()


def test_other_weights_outside_change_the_note_and_a_new_date_does_not(folder: Path) -> None:
    settings = {"pretrain": {"weights": str(folder / "w.safetensors")}}
    (folder / "w.safetensors").write_bytes(b"one")
    note_weights(settings)
    before = WEIGHTS_NOTE.read_text()
    os.utime(folder / "w.safetensors", ns=(1, 1))
    note_weights(settings)
    assert WEIGHTS_NOTE.read_text() == before
    (folder / "w.safetensors").write_bytes(b"two")
    note_weights(settings)
    assert WEIGHTS_NOTE.read_text() != before


@pytest.mark.parametrize("weights", [None, "data/weights/mine.pth", "gone.pth"])
def test_weights_that_dvc_sees_and_none_at_all_need_no_note(folder: Path, weights: str | None) -> None:
    (folder / "w.pth").touch()
    note_weights({"pretrain": {"weights": str(folder / "w.pth")}})
    assert WEIGHTS_NOTE.exists()
    Path("data/weights/mine.pth").touch()
    note_weights({"pretrain": {"weights": weights}})
    assert not WEIGHTS_NOTE.exists()
