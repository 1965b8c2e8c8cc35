"""All settings are checked before anything runs."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.errors import WinnowError
from components.core.plugins import CHOICES
from pipelines.settings import check_settings

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


@pytest.mark.parametrize(("stage", "setting"), sorted(CHOICES))
def test_options_and_names_of_every_plug_in_are_checked(params: dict[str, Any], stage: str, setting: str) -> None:
    chosen = {**params[stage][setting], "tpyo": 1}
    with pytest.raises(WinnowError, match=f"unknown setting {stage}.{setting}.tpyo"):
        _check({**params, stage: {**params[stage], setting: chosen}})


def test_a_query_under_dropout_wants_a_model_that_is_trained_with_it(params: dict[str, Any]) -> None:
    asked = {**params, "select": {**params["select"], "strategy": {"name": "bald"}}}
    with pytest.raises(WinnowError, match=r"select\.strategy 'bald' asks a model that was trained with dropout"):
        _check(asked)
    _check({**asked, "finetune": {**params["finetune"], "method": {"name": "full", "dropout": 0.2}}})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"ingest.root": "data/raw"},
            r"^ingest\.root is not used, since ingest\.source is 'digits': take it out",
        ),
        (
            {"ingest.source": "torchvision:MNIST"},
            r"^ingest\.test_fraction is not used",
        ),
        ({"augment.policies.weak.blur_sigma": [1, 2]}, r"augment\.policies\.weak\.blur_sigma .* since blur is 0"),
        ({"augment.policies.weak.ratio": [1, 2], "augment.policies.weak.crop": [1, 1]}, r"weak\.ratio is not used"),
        ({"augment.policies.weak.color_probability": 0.1}, r"color_probability .* since no color setting is on"),
        ({"augment.policies.weak.cutout_probability": 0.1}, r"cutout_probability .* since cutout is 0"),
        ({"augment.policies.weak.rand_augment": {"magnitude": 1}}, r"rand_augment\.magnitude .* since operations is 0"),
        ({"augment.policies.vieww": {}}, r"^no method asks for the view augment\.policies\.vieww: did you mean 'view'"),
        (
            {"pretrain.workers": 0, "pretrain.ray_address": "auto"},
            r"^pretrain\.ray_address .* since pretrain\.workers is 0",
        ),
        (
            {"pretrain.epochs": 0},
            r"^pretrain\.batch_size, pretrain\.learning_rate, pretrain\.precision and pretrain\.workers",
        ),
        ({"pseudo_label.network": {"epochs": 5}}, r"^pseudo_label\.network .* 'label_propagation' trains no network"),
        (
            {"pseudo_label.method": {"name": "self_training", "rounds": 0, "soft": True}},
            r"^pseudo_label\.method\.soft is not used, since rounds is 0",
        ),
        (
            {"finetune.method": {"name": "linear_probe"}},
            r"^finetune\.epochs, finetune\.batch_size, finetune\.learning_rate and finetune\.guard_epochs are not used",
        ),
        (
            {"finetune.epochs": 0, "finetune.guard_epochs": 0},
            r"^finetune\.batch_size and finetune\.learning_rate are not",
        ),
        ({"finetune.sets.penalty": 0.1}, r"^finetune\.sets\.penalty is not used, since score is lac"),
        (
            {"finetune.sets.score": "aps", "finetune.sets.free": 2},
            r"^finetune\.sets\.free is not used, since penalty is 0",
        ),
        (
            {"label.folds": 0},
            r"^pseudo_label\.foreign and finetune\.guard_epochs are not used, since label\.folds is 0",
        ),
        ({"label.folds": 0, "pseudo_label.humble": True}, r"^pseudo_label\.foreign, pseudo_label\.humble and finetune"),
        ({"ingest.near_duplicates": "off"}, r"^pseudo_label\.max_per_group .* since ingest\.near_duplicates is off"),
        (
            {"finetune.sets": None, "select.abstentions_first": True},
            r"^select\.abstentions_first .* finetune\.sets is empty",
        ),
        (
            {"augment.policies.view.hue": 0.1, "augment.policies.view.grayscale": 0.2},
            r"^augment\.policies\.view\.hue and augment\.policies\.view\.grayscale .* since ingest\.modality\.chan",
        ),
        ({"run.retries": 0}, r"^run\.retry_seconds is not used, since run\.retries is 0"),
        ({"label.first": "typiclust"}, r"label\.first is 'typiclust': .* \{name: typiclust\}"),
        ({"label.first.restart": 2}, r"unknown setting label\.first\.restart: did you mean 'restarts'"),
    ],
)
def test_what_the_other_settings_leave_without_use_is_refused(
    params: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    for name, value in changes.items():
        *blocks, last = name.split(".")
        block = params
        for one in blocks:
            block = block[one]
        block[last] = value
    with pytest.raises(WinnowError, match=said):
        _check(params)


def test_what_is_left_once_those_are_taken_out_is_valid(params: dict[str, Any]) -> None:
    params["finetune"] = {"method": {"name": "linear_probe"}}
    params["pseudo_label"] |= {"method": {"name": "mixmatch"}, "network": {"epochs": 5}}
    params["label"]["first"] = {"name": "typiclust", "restarts": 2}
    _check(params)
