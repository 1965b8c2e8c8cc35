"""Settings mutated by chance: each is taken or refused in one sentence, and nothing else happens."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.outcome import DEFECT, explain
from pipelines.settings import check_settings

ROOT = Path(__file__).resolve().parents[2]
TEXTS = (
    "2001-13-45", "2001-12-14", "9" * 5000, "-" + "9" * 30, "1e999", ".inf", ".nan", "010", "1:30", "yes", "null", "''",
    '"a\\0b"', "{a: 1}", "{1: 2}", "{[1]: 2}", "[1, [2]]", "!!python/object:os.system x", "!!binary aGk=", "*x", "<<",
    "1000000000", "9223372036854775807", "-1", "0", "0.5", "true", '"\\e[2J"', '"\\u202e"', "é", "~/x", "../../etc",
    "[" * 60 + "]" * 60, "|\n  x\n", "\tx", "{name: simclr, name: byol}", "postgresql://u:p@h/d", "x" * 5000,
)  # fmt: skip


def outcome() -> tuple[int, str] | None:
    """Exit code and sentence of the settings check; None where it says nothing."""
    try:
        check_settings()
    except Exception as error:
        sentence, code = explain(error, "fuzz")
        return code, sentence
    return None


def mutated(text: str, chance: random.Random) -> str:
    """One setting at any depth has another value or another name, or a piece of the text is gone."""
    lines = text.splitlines()
    number = chance.choice([n for n, line in enumerate(lines) if ":" in line])
    name, _, _ = lines[number].partition(":")
    kind = chance.random()
    if kind < 0.7:
        lines[number] = f"{name}: {chance.choice(TEXTS)}"
    elif kind < 0.8:
        indent = name[: len(name) - len(name.lstrip())]
        lines[number] = f"{indent}{chance.choice(TEXTS)}: 1"
    elif kind < 0.9:
        del lines[number]
    else:
        start = chance.randrange(len(text))
        return text[:start] + text[start + chance.randrange(1, 40) :]
    return "\n".join(lines) + "\n"


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
