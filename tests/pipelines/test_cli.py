"""The `winnow` command: quick to start, one sentence for an error, exit codes that scripts can use."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.core.errors import WinnowError
from pipelines import cli


def _winnow(*arguments: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.cli", *arguments]
    return subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)


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
    assert all(len(row) == 2 and row[1].endswith(".") for row in rows)
