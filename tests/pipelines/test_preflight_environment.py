"""What a container or an odd shell lacks is named with its cure, before a run starts."""

import locale
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from components.core import environment
from pipelines.concern import Concern
from pipelines.preflight_environment import surroundings


@pytest.fixture(autouse=True)
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that lacks nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("TMPDIR", "TEMP", "TMP", "LC_ALL", "LC_CTYPE", "LANG", *environment.proxies()):
        monkeypatch.delenv(name, raising=False)


def _found(*, with_prefect: bool = True) -> list[Concern]:
    return surroundings(with_prefect=with_prefect)


def test_nothing_is_found_where_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("LC_ALL", "C")
    assert _found() == []


def test_a_home_given_in_place_of_none_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(environment.HOME))
    (concern,) = _found()
    assert not concern.stops
    assert concern.text.startswith("there is no home folder")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("TMPDIR", "/nonexistent", "TMPDIR is /nonexistent, which is not there or cannot be written"),
        ("LC_ALL", "xx_YY", "this machine has no locale xx_YY: set LC_ALL to C.UTF-8."),
    ],
)
def test_what_is_replaced_is_named_and_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    before = locale.setlocale(locale.LC_ALL)
    (concern,) = _found()
    assert concern.text.startswith(says)
    assert not concern.stops
    assert locale.setlocale(locale.LC_ALL) == before


def test_a_machine_without_a_folder_for_temporary_files_stops_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(Path.cwd()))
    (concern,) = _found()
    assert concern.stops
    assert concern.text.endswith("set TMPDIR to one that can be written.")


@pytest.mark.parametrize("url", ["socks4://me:secret@proxy:1080", "ftp://proxy"])
def test_a_proxy_that_prefect_refuses_stops_only_what_needs_prefect(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("all_proxy", url)
    (concern,) = _found()
    assert concern.stops
    assert "`winnow repro`, which needs no Prefect" in concern.text
    assert "secret" not in concern.text
    assert _found(with_prefect=False) == []


def test_a_folder_name_that_no_database_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("two\nlines").mkdir()
    monkeypatch.chdir("two\nlines")
    (concern,) = _found()
    assert concern.stops
    assert "two\\nlines', which no database takes: rename it" in concern.text


def test_a_missing_git_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    (concern,) = _found()
    assert "no git on PATH" in concern.text
    assert not concern.stops


def test_a_folder_of_another_user_that_git_does_not_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".git").mkdir()
    done = subprocess.CompletedProcess([], 128, "", "fatal: detected dubious ownership in repository")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    (concern,) = _found()
    assert f"`git config --global --add safe.directory {Path.cwd()}`" in concern.text
