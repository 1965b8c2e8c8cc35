"""The augment stage: channel statistics of the training split, the resolved policies, the page, and its refusals."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.core.config import parse
from components.core.errors import WinnowError
from components.modalities.image.normalize import channel_statistics
from components.modalities.image.policy import Policy
from components.modalities.views import parse_policies, read_views
from components.stages.augment import Params, run
from tests.pictures import modality_of, save_pictures

POLICIES = {"weak": {"crop": [0.8, 1.0]}, "view": {"blur": 0.5}, "strong": {"cutout": 0.25}}


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 3, 8, 8), dtype=np.uint8)
    pixels[12:] = 255  # the test split is white: it must not be looked at
    save_pictures(tmp_path / "samples.npy", pixels)
    pd.DataFrame({"id": map(str, range(20)), "split": ["train"] * 12 + ["test"] * 8}).to_parquet(
        tmp_path / "manifest.parquet"
    )
    (tmp_path / "verdict.json").write_text('{"success": true}')
    (tmp_path / "weights").mkdir()
    return {name: next(tmp_path.glob(f"{name}*")) for name in ("manifest", "samples", "verdict", "weights")}


def run_into(folder: Path, inputs: dict[str, Path]) -> dict[str, float]:
    folder.mkdir()
    params = parse(Params, {"seed": 3, "threads": 1, "policies": POLICIES}, where="augment")
    return run(params=params, **inputs, policy=folder / "policy.json", preview=folder / "preview.png")


def test_the_policy_file_holds_the_training_splits_statistics(tmp_path: Path, inputs: dict[str, Path]) -> None:
    metrics = run_into(tmp_path / "out", inputs)
    views = read_views(tmp_path / "out" / "policy.json")
    training = np.load(inputs["samples"])[:12] / 255
    np.testing.assert_allclose(views.statistics["mean"], training.mean((0, 2, 3)))
    np.testing.assert_allclose(views.statistics["std"], training.std((0, 2, 3)))
    assert views.policies["weak"] == Policy(crop=(0.8, 1.0))
    assert metrics["mean_2"] == views.statistics["mean"][2]


def test_equal_inputs_give_equal_bytes(tmp_path: Path, inputs: dict[str, Path]) -> None:
    for name in ("first", "second"):
        run_into(tmp_path / name, inputs)
    for file in ("policy.json", "policy.npz", "preview.png"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def test_data_that_did_not_pass_is_refused(tmp_path: Path, inputs: dict[str, Path]) -> None:
    inputs["verdict"].write_text(json.dumps({"success": False}))
    with pytest.raises(WinnowError, match="did not pass"):
        run_into(tmp_path / "out", inputs)


def test_an_empty_training_split_is_refused(tmp_path: Path, inputs: dict[str, Path]) -> None:
    pd.DataFrame({"id": map(str, range(20)), "split": ["test"] * 20}).to_parquet(inputs["manifest"])
    with pytest.raises(WinnowError, match="no training samples"):
        run_into(tmp_path / "out", inputs)


def test_a_missing_policy_is_named() -> None:
    with pytest.raises(WinnowError, match="strong is missing"):
        parse(Params, {"policies": {"weak": {}, "view": {}}}, where="augment")


def test_a_mistyped_setting_of_a_policy_gets_the_nearest_name() -> None:
    policies = POLICIES | {"view": {"blurr": 0.5}}
    with pytest.raises(WinnowError, match=r"augment\.policies\.view\.blurr.*did you mean 'blur'"):
        parse_policies(modality_of(), policies, where="augment.policies")


def test_a_mistyped_setting_of_rand_augment_gets_the_nearest_name() -> None:
    policies = POLICIES | {"strong": {"rand_augment": {"operation": 2}}}
    with pytest.raises(WinnowError, match=r"rand_augment\.operation.*did you mean 'operations'"):
        parse_policies(modality_of(), policies, where="augment.policies")


def test_statistics_count_every_block_and_survive_a_constant_channel() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2500, 2, 2, 2), dtype=np.uint8)
    pixels[:, 1] = 51
    mean, std = channel_statistics(pixels, np.arange(0, 2500, 2), 2)
    np.testing.assert_allclose(mean, [pixels[::2, 0].mean() / 255, 0.2])
    np.testing.assert_allclose(std, [pixels[::2, 0].std() / 255, 1 / 255])
