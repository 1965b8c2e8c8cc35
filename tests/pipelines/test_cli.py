"""The `winnow` command: quick to start, one sentence for an error, exit codes that scripts can use."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from components.core.errors import WinnowError
from pipelines import cli


def _winnow(
    *arguments: str, at: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.cli", *arguments]
    return subprocess.run(command, cwd=at, env=env, capture_output=True, text=True, check=False)


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pipelines import cli; sys.argv = ['winnow', '--help']\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n"
        "    assert end.code == 0\n    assert not {'torch', 'mlflow', 'pandas', 'dvc'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("repro", "summary", "campaign", "promote", "rollback", "predict", "methods", "export", "gap", "ui"):
        assert f"\n  {name} " in done.stdout
    assert "..." not in done.stdout.split("COMMAND [ARGS]...")[1]  # no caption is cut
    headings = [line for line in done.stdout.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Options:", "The pipeline:", "The model:", "Methods and questions:", "Pages:"]


def test_every_command_that_takes_something_shows_examples_that_it_takes() -> None:
    for words, command in _commands(get_command(cli.app)):
        takes = [option for option in command.params if option.name != "help"]
        lines = [line.strip() for line in (command.epilog or "").splitlines()[2:]]
        assert bool(lines) == bool(takes), words
        for line in lines:
            given = shlex.split(line)
            assert given[: len(words)] == words
            command.make_context(words[-1], given[len(words) :])  # a usage error if it does not take them


def test_version_and_completion_need_no_project(tmp_path: Path) -> None:
    done = _winnow("--version", at=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"winnow {version('winnow')}\n")
    asked = {"_WINNOW_COMPLETE": "complete_bash", "COMP_WORDS": "winnow ro", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli"],
        cwd=tmp_path,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["rollback"]


def _commands(group: Any, before: tuple[str, ...] = ("winnow",)) -> Iterator[tuple[list[str], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*before, name))
        else:
            yield [*before, name], command


def test_an_error_is_one_sentence_without_a_traceback(tmp_path: Path) -> None:
    done = _winnow("summary", at=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "winnow: data/evaluate/metrics.json is not there yet: run `winnow repro` first.\n"


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["winnow", "summary", "--debug"])
    with pytest.raises(WinnowError):
        cli.main()


def test_an_unknown_command_is_a_usage_error() -> None:
    assert _winnow("reproduce").returncode == 2


def test_methods_lists_every_plug_in_with_its_caption() -> None:
    done = _winnow("methods", at=Path(__file__).resolve().parents[2])
    assert done.returncode == 0
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line.startswith("  ")]
    assert {"digits", "simclr", "k_medoids", "full"} <= {row[0] for row in rows}
    assert all(len(row) == 2 and row[1].endswith((".", "]")) for row in rows)
    assert dict(rows)["rotation"].endswith("[pixels]")
