"""What libraries look for and a container may lack is given by value."""

import os
import pwd
from pathlib import Path

import pytest

from components.core import environment
from components.core.environment import prepare


@pytest.fixture(autouse=True)
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment of its own with a home folder that can be written."""
    (tmp_path / "home").mkdir()
    values = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    monkeypatch.setattr(os, "environ", values)
    return values


def _nobody(number: int) -> pwd.struct_passwd:
    raise KeyError(number)


def test_a_user_without_a_name_gets_one_and_a_home_in_the_workspace(
    shell: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pwd, "getpwuid", _nobody)
    del shell["HOME"]
    prepare()
    assert shell["USER"] == shell["LOGNAME"] == f"user{os.getuid()}"
    assert shell["HOME"] == str(environment.HOME)


def test_what_the_environment_says_stays(shell: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwuid", _nobody)
    before = {**shell, "USER": "me", "LOGNAME": "me"}
    shell.update(before)
    prepare()
    assert {name: shell[name] for name in before} == before
    assert "NO_PROXY" not in shell


def test_a_home_that_is_not_there_is_replaced(shell: dict[str, str]) -> None:
    shell["HOME"] = "/nonexistent"
    prepare()
    assert shell["HOME"] == str(environment.HOME)


def test_a_home_of_ours_is_made_only_where_it_is_needed(
    shell: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "HOME", tmp_path / "ours/home")
    environment.make_home()
    assert not (tmp_path / "ours").exists()
    shell["HOME"] = "/nonexistent"
    prepare()
    environment.make_home()
    assert (tmp_path / "ours/home").is_dir()


def test_a_read_only_home_stays_and_what_is_written_goes_elsewhere(
    shell: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = shell["HOME"]
    (Path(home) / ".prefect").mkdir()
    (Path(home) / ".prefect/profiles.toml").write_text("")
    monkeypatch.setattr(os, "access", lambda path, mode: path != home)
    prepare()
    assert shell["HOME"] == home
    written = {name: shell[name] for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR", "PREFECT_HOME")}
    assert all(Path(place).is_relative_to(environment.HOME) for place in written.values())
    assert shell["PREFECT_PROFILES_PATH"] == f"{home}/.prefect/profiles.toml"


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "all_proxy"])
def test_this_machines_own_servers_never_go_by_a_proxy(shell: dict[str, str], name: str) -> None:
    shell.update({name: "http://proxy:3128", "NO_PROXY": "internal.example, localhost"})
    prepare()
    prepare()
    assert shell["no_proxy"] == shell["NO_PROXY"] == "internal.example,localhost,127.0.0.1,::1"
