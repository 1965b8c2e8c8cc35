"""A stage's settings are its own block and the top level of params.yaml, and nothing of either is overwritten."""

from pathlib import Path
from typing import Any

import pytest

from components.core.config import read_params
from components.core.errors import WinnowError
from components.core.stage_settings import applicable, stage_settings, top_settings

PARAMS = read_params(Path(__file__).resolve().parents[2] / "params.yaml")


def test_the_top_level_reaches_every_stage() -> None:
    params = {**PARAMS, "seed": 7, "threads": 3}
    assert top_settings(params).threads == 3
    assert (stage_settings("label", params).seed, stage_settings("select", params).threads) == (7, 3)


@pytest.mark.parametrize(("stage", "setting"), [("label", "seed"), ("validate", "threads"), ("pretrain", "seed")])
def test_a_top_level_setting_in_a_stages_block_is_told_where_it_belongs(stage: str, setting: str) -> None:
    said = (
        rf"^{stage}\.{setting} is for all stages, not for one: write {setting}: 7 at the top level of params\.yaml\.$"
    )
    with pytest.raises(WinnowError, match=said):
        stage_settings(stage, {**PARAMS, stage: {**PARAMS[stage], setting: 7}})


def test_a_typo_is_not_answered_with_a_setting_of_the_top_level() -> None:
    with pytest.raises(WinnowError, match=r"unknown setting label\.sed: Choose from") as error:
        stage_settings("label", {**PARAMS, "label": {**PARAMS["label"], "sed": 7}})
    assert "seed" not in str(error.value)
    assert "threads" not in str(error.value)


def test_a_setting_of_an_inner_block_is_told_how_to_write_it() -> None:
    block = {"method": {"name": "mixmatch"}, "epochs": 5, "batch_size": 32}
    said = (
        r"^pseudo_label\.epochs and pseudo_label\.batch_size must stand in pseudo_label\.network: "
        r"write network: \{epochs: 5, batch_size: 32\}\.$"
    )
    with pytest.raises(WinnowError, match=said):
        stage_settings("pseudo_label", {**PARAMS, "pseudo_label": block})


def test_a_block_that_is_no_block_is_refused() -> None:
    with pytest.raises(WinnowError, match=r"embed in params\.yaml must be a block of settings, not 3"):
        stage_settings("embed", {**PARAMS, "embed": 3})


def test_a_program_keeps_what_still_means_something_beside_another_method() -> None:
    params: dict[str, Any] = {**PARAMS, "finetune": {**PARAMS["finetune"], "method": {"name": "prototypes"}}}
    left = applicable(params)
    assert left["finetune"] == {
        name: params["finetune"][name] for name in ("method", "guard_level", "sets") if name in params["finetune"]
    }
    others = [name for name in params if name != "finetune"]
    assert {name: left[name] for name in others} == {name: params[name] for name in others}
    assert stage_settings("finetune", left).method.name == "prototypes"


def test_what_ships_is_kept_whole() -> None:
    assert applicable(PARAMS) == PARAMS
