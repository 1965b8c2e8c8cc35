"""Ray's folder is gone after the run, and what a killed run left is found; nothing else is removed."""

import tempfile
from pathlib import Path

import pytest

from components.core.errors import WinnowError
from components.core.lock import locked
from components.training import ray_home


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go; the current folder is beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ray_home, "_place", lambda: tmp_path)
    return tmp_path


def _left(name: str, home: Path) -> Path:
    ray_home.NOTES.mkdir(parents=True, exist_ok=True)
    (ray_home.NOTES / name).write_text(f"{home}\n")
    (home / "session").mkdir(parents=True)
    return home


def test_the_folder_is_gone_after_the_run_and_closed_to_others_before() -> None:
    with ray_home.ray_home() as home:
        assert home.stat().st_mode & 0o777 == 0o700
        (home / "sockets").mkdir()
    assert not home.exists()
    assert not list(ray_home.NOTES.iterdir())


def test_what_a_dead_run_left_goes_and_what_lives_or_is_another_stays(place: Path) -> None:
    dead, alive = _left("winnow-dead", place / "winnow-dead"), _left("winnow-alive", place / "winnow-alive")
    other = _left("winnow-other", place / "precious")
    with locked(alive / ray_home.ALIVE, wait=0, busy=""), ray_home.ray_home():
        assert not dead.exists()
        assert (alive / "session").is_dir()
        assert (other / "session").is_dir()
    with ray_home.ray_home():
        assert not alive.exists()


def test_a_place_with_a_long_path_is_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("long" * 10)))
    assert str(ray_home._place()) in ray_home.PLACES
    monkeypatch.setattr(ray_home, "PLACES", ("/nowhere",))
    with pytest.raises(WinnowError, match="name one in TMPDIR"):
        ray_home._place()
