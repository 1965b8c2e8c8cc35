"""Records: what a run has to tell is on disk first, whole, and without secrets."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from components.core import journal
from components.core.journal import flatten, recording, records


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(journal.PARENT, raising=False)


def test_settings_are_flattened_to_dotted_names() -> None:
    values = {"method": {"name": "simclr", "sizes": [1, 2]}, "budget": None, "share": 0.5}
    expected = {"method.name": "simclr", "method.sizes": "[1, 2]", "budget": "null", "share": "0.5"}
    assert dict(flatten(values)) == expected


@pytest.mark.parametrize("text", ["s3://key:s3cret@host/x", "at https://s3cret@host: no"])
def test_no_password_of_a_url_gets_into_a_record(text: str) -> None:
    def fail() -> None:
        with recording("a", key="k", params={"storage": text}):
            raise ValueError(text)

    with pytest.raises(ValueError, match="s3cret"):
        fail()
    (path,) = journal.RUNS.glob("*/record.json")
    assert "s3cret" not in path.read_text()


def test_a_process_killed_without_a_word_counts_as_killed() -> None:
    code = (
        "import os; from components.core.journal import recording\n"
        "with recording('a', key='k', params={}):\n    os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    (path,) = journal.RUNS.glob("*/record.json")
    assert json.loads(path.read_text())["status"] == "RUNNING"
    (record,) = records()
    assert record.facts["status"] == "KILLED"
    assert record.facts["ended"] >= record.facts["started"]


def test_a_living_run_counts_as_running() -> None:
    with recording("a", key="k", params={}):
        assert records()[0].facts["status"] == "RUNNING"
    assert records()[0].facts["status"] == "FINISHED"


def test_kept_pictures_do_not_change_with_the_next_run() -> None:
    picture = Path("a.png")
    picture.write_text("first")
    with recording("a", key="k", params={}) as record:
        record.keep([picture])
    picture.write_text("second")
    assert (record.folder / "artifacts/a.png").read_text() == "first"


def test_code_that_differs_from_the_commit_is_called_dirty_but_outputs_do_not_count() -> None:
    assert journal.provenance() == {}
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    Path("code.py").write_text("1")
    Path("dvc.lock").write_text("1")
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], check=True)
    tags = journal.provenance()
    assert (len(tags["git_commit"]), tags["git_dirty"], len(tags["dvc_lock"])) == (40, "false", 64)
    Path("dvc.lock").write_text("2")
    Path("data").mkdir()
    Path("data/out.json").write_text("1")
    assert journal.provenance()["git_dirty"] == "false"
    Path("code.py").write_text("2")
    assert journal.provenance()["git_dirty"] == "true"
