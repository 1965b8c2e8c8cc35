"""All settings are checked before anything runs."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.errors import WinnowError
from pipelines.settings import PLUGINS, check_settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "dvc.yaml", "dvc.yaml")
    return dict(yaml.safe_load((ROOT / "params.yaml").read_text()))


def _check(params: dict[str, Any]) -> None:
    Path("params.yaml").write_text(yaml.safe_dump(params))
    check_settings()


def test_the_settings_that_come_with_the_project_are_valid(params: dict[str, Any]) -> None:
    _check(params)


def test_an_unknown_block_is_answered_with_the_nearest(params: dict[str, Any]) -> None:
    with pytest.raises(WinnowError, match=r"unknown setting finetun in params\.yaml: did you mean 'finetune'"):
        _check({**params, "finetun": {}})


@pytest.mark.parametrize("stage", ["ingest", "select", "register"])
def test_a_typo_in_any_stage_is_found_though_it_would_run_last(params: dict[str, Any], stage: str) -> None:
    with pytest.raises(WinnowError, match=f"unknown setting {stage}.tpyo"):
        _check({**params, stage: {**params[stage], "tpyo": 1}})


@pytest.mark.parametrize(("stage", "setting"), sorted(PLUGINS))
def test_options_and_names_of_every_plug_in_are_checked(params: dict[str, Any], stage: str, setting: str) -> None:
    chosen = {**params[stage][setting], "tpyo": 1}
    with pytest.raises(WinnowError, match=f"unknown setting {stage}.{setting}.tpyo"):
        _check({**params, stage: {**params[stage], setting: chosen}})


def test_a_block_that_is_no_block_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(WinnowError, match=r"embed in params\.yaml must be a block of settings, not 3"):
        _check({**params, "embed": 3})


def test_a_query_under_dropout_wants_a_model_that_is_trained_with_it(params: dict[str, Any]) -> None:
    asked = {**params, "select": {**params["select"], "strategy": {"name": "bald"}}}
    with pytest.raises(WinnowError, match=r"select\.strategy 'bald' asks a model that was trained with dropout"):
        _check(asked)
    _check({**asked, "finetune": {**params["finetune"], "method": {"name": "full", "dropout": 0.2}}})
