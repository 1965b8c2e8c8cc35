"""The doctor's own part: what it prints, what it mends, what it returns, and when it keeps its hands off."""

from pathlib import Path

import pytest

from components.core.errors import WinnowError
from components.core.lock import locked
from pipelines import doctor
from pipelines.checkups import Finding


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which one file is too many, one thing needs a person, and one is worth knowing."""
    monkeypatch.chdir(tmp_path)
    stray = Path("stray")
    stray.touch()

    def remove() -> str:
        stray.unlink()
        return "removed stray."

    def strays() -> list[Finding]:
        return [Finding("stray lies about.", "remove it.", remove)] if stray.exists() else []

    monkeypatch.setattr(doctor, "WIDTH", 10)
    monkeypatch.setattr(
        doctor,
        "CHECKUPS",
        {"fine": lambda: [], "strays": strays, "known": lambda: [Finding("it is old.", "wait.", wrong=False)]},
    )


def _planted(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    monkeypatch.setattr(doctor, "CHECKUPS", {"planted": lambda: list(findings)})


def test_every_checkup_has_a_line_and_every_finding_its_cure(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.examine(fix=False) == 1
    assert capsys.readouterr().out.splitlines() == [
        "fine      ok",
        "strays    stray lies about.",
        "            -> remove it. *",
        "known     it is old.",
        "            -> wait.",
        "",
        "1 left to mend; `winnow doctor --fix` mends what is marked with *.",
    ]
    assert Path("stray").exists()


def test_fix_mends_and_says_so_and_then_nothing_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.examine(fix=True) == 0
    assert "            -> removed stray.\n" in capsys.readouterr().out
    assert doctor.examine(fix=False) == 0
    assert "strays    ok" in capsys.readouterr().out


def test_what_only_a_person_can_mend_stays_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _planted(monkeypatch, Finding("a setting is wrong.", "correct it."))
    assert doctor.examine(fix=True) == 1
    assert capsys.readouterr().out.endswith("-> correct it.\n\n1 left to mend.\n")


def test_a_cure_that_fails_is_told_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> str:
        raise PermissionError(13, "Permission denied", "x")

    _planted(monkeypatch, Finding("x is corrupt.", "remove it.", fail), Finding("y.", "z.", lambda: "did z."))
    assert doctor.examine(fix=True) == 1
    assert "not mended: [Errno 13] Permission denied: 'x'" in capsys.readouterr().out


def test_a_checkup_that_cannot_look_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> list[Finding]:
        raise WinnowError("dvc config --list failed.")

    monkeypatch.setattr(doctor, "CHECKUPS", {"remote": refuse})
    assert doctor.examine(fix=False) == 1
    assert "remote    dvc config --list failed." in capsys.readouterr().out


def test_while_a_run_is_at_work_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    with locked(doctor.LOCK, wait=0, busy=""), pytest.raises(WinnowError, match=r"a run \(process \d+\) is at work"):
        doctor.examine(fix=True)
    busy = Finding("process 7 (dvc repro) is at work in this folder.", "wait.")
    monkeypatch.setattr(doctor.workspace, "locks", lambda: [busy])
    with pytest.raises(WinnowError, match=r"process 7 \(dvc repro\) is at work in this folder. Nothing was mended"):
        doctor.examine(fix=True)
    assert Path("stray").exists()
