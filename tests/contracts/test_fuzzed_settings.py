"""Settings mutated by chance: each is taken or refused in one sentence, and nothing else happens."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks._hostile_settings import mutated
from components.core.outcome import DEFECT, explain
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
