"""What the pipeline stands on is compared with what it needs."""

from pathlib import Path

import pytest

from components.core import store_upkeep
from components.core.errors import WinnowError
from pipelines.checkups import surroundings
from pipelines.preflight import Concern

ROOT = Path(__file__).resolve().parents[3]


def test_the_environment_that_runs_the_tests_fits_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert len(surroundings._requirements()) > 20
    assert surroundings.python_and_libraries() == []


def test_a_library_that_is_missing_or_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dependencies = ["numpy>=99", "no-such-library>=1", "no-such-windows-library; sys_platform == 'win32'"]
    Path("pyproject.toml").write_text(f"[project]\nname = 'winnow'\ndependencies = {dependencies}\n")
    monkeypatch.setattr(surroundings, "PYTHON", ((2, 0), (2, 1)))
    python, numpy, other = surroundings.python_and_libraries()
    assert python.what.startswith("this is Python 3.")
    assert numpy.what.startswith("numpy is ")
    assert numpy.what.endswith(", and Winnow needs >=99.")
    assert other.what == "no-such-library is not installed, and Winnow needs >=1."


def test_telemetry_switched_on_and_a_missing_git_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in surroundings.QUIET:
        monkeypatch.delenv(name, raising=False)
    assert surroundings.tools() == []
    monkeypatch.setenv("GX_ANALYTICS_ENABLED", "true")
    (loud,) = surroundings.tools()
    assert loud.what == "GX_ANALYTICS_ENABLED is 'true' in your environment."
    assert loud.cure == "unset it: Winnow sets it to false."


def test_what_would_stop_a_run_is_wrong_and_what_slows_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert surroundings.room() == []  # params.yaml is missing, which another checkup tells
    Path("params.yaml").write_text("seed: 0\n")
    concerns = [Concern("disk: too small: free some."), Concern("threads: many: lower it.", stops=False)]
    monkeypatch.setattr(surroundings, "concerns", lambda params, with_prefect: concerns)
    disk, threads = surroundings.room()
    assert (disk.what, disk.cure, disk.wrong) == ("disk: too small.", "free some.", True)
    assert not threads.wrong


def test_a_store_that_is_behind_can_be_migrated_and_runs_that_died_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_upkeep, "behind", lambda: "mlflow.db is of an older MLflow.")
    (found,) = surroundings.mlflow_store()
    assert found.fix is store_upkeep.migrate
    monkeypatch.setattr(store_upkeep, "behind", lambda: "")
    monkeypatch.setattr(store_upkeep, "unfinished", lambda: ["a", "b"])
    monkeypatch.setattr(store_upkeep, "close", lambda runs: f"closed {runs}")
    (found,) = surroundings.mlflow_store()
    assert found.what == "runs that MLflow counts as running, though nobody writes them any more: 2."
    assert found.fix is not None
    assert found.fix() == "closed ['a', 'b']"


def test_a_store_that_cannot_be_read_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise WinnowError("mlflow.db is no database.")

    monkeypatch.setattr(store_upkeep, "behind", refuse)
    (found,) = surroundings.mlflow_store()
    assert found.what == "mlflow.db is no database."
    assert found.fix is None
