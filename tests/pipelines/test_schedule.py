"""A schedule: refused before anything starts where it cannot be, and which server it would talk to."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.core.errors import WinnowError
from components.core.lock import locked
from pipelines.flows import schedule, server


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*server.SETTINGS, server.API, "PREFECT_PROFILE", "PREFECT_API_DATABASE_CONNECTION_URL"):
        monkeypatch.setenv(name, "")  # so that what the code sets is taken back
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "profiles.toml"))


@pytest.mark.parametrize("cron", ["61 3 * * *", "every night", ""])
def test_what_is_no_cron_expression_is_refused_with_an_example(cron: str) -> None:
    with pytest.raises(WinnowError, match="is not a cron expression: five fields"):
        schedule.keep_schedule(cron, "UTC")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc"])
def test_an_unknown_time_zone_is_refused_with_an_example(zone: str) -> None:
    with pytest.raises(WinnowError, match=r"unknown time zone .* Europe/Berlin"):
        schedule.keep_schedule("0 3 * * *", zone)


def test_a_second_schedule_in_the_folder_is_refused() -> None:
    with (
        locked(schedule.LOCK, wait=0, busy=""),
        pytest.raises(WinnowError, match="already runs this folder on a schedule"),
    ):
        schedule.keep_schedule("0 3 * * *", "UTC")


def test_without_a_server_the_runs_are_kept_in_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    assert server.connect() == ""
    assert os.environ["PREFECT_API_DATABASE_CONNECTION_URL"].endswith("/.winnow/prefect/prefect.db")


def test_the_environment_comes_before_the_profile_and_the_profile_before_our_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "_healthy", lambda address: True)
    Path("profiles.toml").write_text(
        'active = "team"\n[profiles.team]\nPREFECT_API_URL = "http://team:4200/api"\n[profiles.local]\n'
    )
    assert server.connect() == "http://team:4200/api"
    monkeypatch.delenv(server.API)
    monkeypatch.setenv("PREFECT_PROFILE", "local")
    assert server.connect() == ""
    monkeypatch.setenv(server.API, "http://mine:4200/api")
    assert server.connect() == "http://mine:4200/api"


def test_a_profile_that_cannot_be_read_is_named() -> None:
    Path("profiles.toml").write_text("active = ['a']\nprofiles = 1\n")
    with pytest.raises(WinnowError, match=r"profiles\.toml is not laid out"):
        server.connect()
    Path("profiles.toml").write_text("active = \n")
    with pytest.raises(WinnowError, match=r"profiles\.toml is not valid TOML"):
        server.connect()


def test_a_slow_server_is_waited_for_aloud_and_not_one_that_has_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([False, False, True])
    monkeypatch.setattr(server, "_healthy", lambda address: next(answers))
    monkeypatch.setattr(server, "SLOW", 0.0)
    starting: Any = SimpleNamespace(poll=lambda: None)
    ended: Any = SimpleNamespace(poll=lambda: 1)
    server._wait_for("", starting)
    assert capsys.readouterr().err == "winnow: waiting for the Prefect server to start.\n"
    monkeypatch.setattr(server, "_healthy", lambda address: False)
    with pytest.raises(WinnowError, match=r"did not start: .*server\.log says why"):
        server._wait_for("", ended)
    monkeypatch.setattr(server, "PATIENCE", 0.0)
    with pytest.raises(WinnowError, match="run `winnow repro`, which needs no Prefect"):
        server._wait_for("", starting)


def test_a_proxy_that_prefect_cannot_use_is_refused_before_prefect_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    with pytest.raises(WinnowError, match=r"all_proxy is .*`winnow repro`, which needs no Prefect"):
        server.connect()
