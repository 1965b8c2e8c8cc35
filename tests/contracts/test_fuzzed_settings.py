"""Settings mutated by chance: each is taken or refused in one sentence, and nothing else happens."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks._hostile_inputs import OF_THIS_PROCESS, finished
from benchmarks._hostile_settings import mutated
from benchmarks.hostile import run
from components.core import tracking
from components.core.outcome import DEFECT, FAILED, explain
from pipelines import doctor, status
from pipelines.settings import check_settings

ROOT = Path(__file__).resolve().parents[2]


def outcome() -> tuple[int, str] | None:
    """Exit code and sentence of the settings check; None where it says nothing."""
    try:
        check_settings()
    except Exception as error:
        sentence, code = explain(error, "fuzz")
        return code, sentence
    return None


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "dvc.yaml", "dvc.yaml")
    plain: Any = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    return yaml.safe_dump(plain, sort_keys=False, default_flow_style=False)


def test_no_settings_end_a_command_in_anything_but_a_sentence(
    settings: str, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(tracking.URI, raising=False)
    monkeypatch.setattr(tracking, "_client", None)
    monkeypatch.setattr(status, "stale", dict)  # which asks DVC, in another process
    monkeypatch.setattr(status, "prepare_workspace", lambda: None)
    monkeypatch.setattr(doctor, "CHECKUPS", {name: doctor.CHECKUPS[name] for name in OF_THIS_PROCESS})
    shutil.copyfile(empty_store, "mlflow.db")
    finished()
    chance = random.Random(1)
    blocks = yaml.safe_load(settings)
    odd = [settings.replace(f"\n{name}:\n", f"\n{name}: text\nx{name}:\n") for name in blocks]
    for text in [*odd, *(mutated(settings, chance) for _ in range(10))]:
        Path("params.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")
        for command in ("summary", "status", "doctor", "repro --from nowhere", "label rename cat dog"):
            code, said = run(command)
            assert code in (0, FAILED), (command, said, text)
            assert "Traceback" not in said
            assert "defect in Winnow" not in said, (command, said, text)
            assert said.strip()


def test_no_settings_lead_to_anything_but_a_run_or_a_sentence(settings: str) -> None:
    chance, refused = random.Random(0), 0
    for _ in range(COUNT):
        text = mutated(settings, chance)
        Path("params.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")
        said = outcome()
        refused += bool(said)
        assert not said or said[0] != DEFECT, (said, text)
        assert not said or 10 < len(said[1]) < 2000, said
    assert refused > COUNT // 3


COUNT = 40
