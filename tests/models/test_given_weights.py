"""Weights that others trained: what belongs to them is read, goes before what is measured, and is not made up."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.core.config import PluginChoice, parse
from components.core.errors import WinnowError
from components.models.given_weights import GivenWeights, Origin, as_wanted, made_otherwise, read_origin, weights_file

FACTS = {"name": "net", "source": "them", "license": "MIT", "mean": [0.1, 0.2, 0.6], "std": [0.5, 0.5, 0.5]}


def _given(**facts: Any) -> GivenWeights:
    return parse(GivenWeights, facts, where="pretrain.weights")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.pth"
    path.write_bytes(b"numbers")
    path.with_suffix(".json").write_text(json.dumps(FACTS))
    return path


def test_a_path_alone_is_short_for_a_file() -> None:
    assert GivenWeights.model_validate("w.pth") == _given(**{"from": "file", "path": "w.pth"})


def test_what_stands_beside_the_file_is_known_and_settings_go_before_it(file: Path) -> None:
    given = _given(**{"from": "file", "path": str(file)})
    origin = read_origin(given, file)
    assert (origin.name, origin.license, origin.mean) == ("net", "MIT", (0.1, 0.2, 0.6))
    assert "net by them, license MIT, mean 0.1 0.2 0.6" in origin.said
    told = _given(**{"from": "file", "path": str(file), "mean": [0.5] * 3, "std": [0.2] * 3, "license": "BSD"})
    assert (read_origin(told, file).mean, read_origin(told, file).license) == ((0.5, 0.5, 0.5), "BSD")


def test_of_an_encoder_of_ours_its_pictures_are_known(file: Path) -> None:
    modality = {"name": "image", "image_size": 96, "channels": 1}
    inputs = {"modality": modality, "statistics": {"mean": [0.3], "std": [0.2]}}
    encoder = {"name": "small_resnet", "options": {}, "inputs": inputs, "dim": 8}
    for facts in (encoder, {"encoder": encoder, "classes": ["a"]}):
        file.with_suffix(".json").write_text(json.dumps(facts))
        origin = read_origin(GivenWeights.model_validate(str(file)), file)
        assert (origin.name, origin.mean, origin.std, origin.image_size) == ("small_resnet", (0.3,), (0.2,), 96)


def test_where_nothing_is_known_what_was_measured_stays(file: Path) -> None:
    file.with_suffix(".json").unlink()
    origin = read_origin(GivenWeights.model_validate(str(file)), file)
    measured = {"mean": [0.4], "std": [0.3]}
    assert as_wanted(origin, measured) == measured
    assert "normalization unknown" in origin.said


@pytest.mark.parametrize(("channels", "mean"), [(3, [0.1, 0.2, 0.6]), (1, [0.3])])
def test_statistics_are_the_weights_and_other_channels_get_their_mean(channels: int, mean: list[float]) -> None:
    origin = Origin.model_validate(FACTS)
    wanted = as_wanted(origin, {"mean": [0.9] * channels, "std": [0.9] * channels})
    assert wanted == {"mean": pytest.approx(mean), "std": [0.5] * channels}


def test_statistics_of_another_kind_of_data_are_left_alone() -> None:
    assert as_wanted(Origin.model_validate(FACTS), {"words": ["a"]}) == {"words": ["a"]}


def test_a_file_that_is_no_more_the_one_told_of_is_refused(file: Path) -> None:
    file.with_suffix(".json").write_text(json.dumps({**FACTS, "sha256": "0" * 64}))
    with pytest.raises(WinnowError, match=r"net.pth is not the file that net.json tells of"):
        read_origin(GivenWeights.model_validate(str(file)), file)


def test_a_json_that_says_nothing_of_weights_is_refused(file: Path) -> None:
    for text in ("[1]", "{", '{"colour": 1}'):
        file.with_suffix(".json").write_text(text)
        with pytest.raises(WinnowError, match=r"net.json, beside the file in pretrain.weights"):
            read_origin(GivenWeights.model_validate(str(file)), file)


def test_a_librarys_weights_lie_in_the_folder_and_are_for_its_networks_alone(tmp_path: Path) -> None:
    given = _given(**{"from": "torchvision", "tag": "IMAGENET1K_V2"})
    encoder = PluginChoice(name="torchvision_model", model="resnet50")
    path = weights_file(given, encoder, tmp_path)
    assert path == tmp_path / "torchvision-resnet50.IMAGENET1K_V2.safetensors"
    with pytest.raises(WinnowError, match=r"is no network of it: choose \{name: torchvision_model"):
        weights_file(given, PluginChoice(name="small_resnet"), tmp_path)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"from": "file"}, "a file's path"),
        ({"from": "file", "path": "w.pth", "mean": [0.5]}, "both mean and std"),
        ({"from": "file", "path": "w.pth", "download": True}, "pretrain.weights.from is file"),
        ({"from": "timm", "path": "w.pth"}, "pretrain.weights.from is timm"),
    ],
)
def test_settings_that_cannot_be_are_refused(facts: dict[str, Any], says: str) -> None:
    with pytest.raises(WinnowError, match=says):
        _given(**facts)


def test_what_of_pictures_is_not_as_the_weights_want_it_is_said() -> None:
    origin = Origin(image_size=224, interpolation="bilinear")
    size, resized = made_otherwise(origin, {"image_size": 96})
    assert "stored at 96 pixels, and these weights were made with 224" in size
    assert "resized bicubic, and these weights were made with bilinear: ingest.modality.interpolation" in resized
    assert made_otherwise(origin, {"image_size": 224, "interpolation": "bilinear"}) == []
    (none,) = made_otherwise(Origin(interpolation="nearest"), {"image_size": 64})
    assert none.endswith("made with nearest: ingest has no such.")
    assert made_otherwise(origin, {"width": 3}) == []


BANDS = {"views": "log_mel", "sample_rate": 8000, "bands": 3, "mean": "clip"}


def _of_clips(file: Path, modality: dict[str, Any], statistics: dict[str, Any]) -> Origin:
    inputs = {"modality": {"name": "speech", **modality}, "statistics": statistics}
    file.with_suffix(".json").write_text(json.dumps({"name": "net", "options": {}, "inputs": inputs, "dim": 8}))
    return read_origin(GivenWeights.model_validate(str(file)), file)


def test_weights_learned_from_clips_bring_their_rate_and_the_deviation_of_each_band(file: Path) -> None:
    origin = _of_clips(file, BANDS, {"mean": [], "std": [2.0, 3.0, 4.0]})
    assert (
        origin.said == "net by another project, license not stated, 8,000 samples a second, 3 bands by their deviations"
    )
    assert as_wanted(origin, {"mean": [], "std": [1.0, 1.0, 1.0]}) == {"mean": [], "std": [2.0, 3.0, 4.0]}
    assert made_otherwise(origin, BANDS) == []
    (rate,) = made_otherwise(origin, {**BANDS, "sample_rate": 16000})
    assert rate.startswith(
        "clips are stored at 16,000 samples a second, and these weights were made with 8,000: ingest"
    )


@pytest.mark.parametrize(
    ("change", "measured"),
    [({"mean": "training"}, {"mean": [1.0] * 3, "std": [1.0] * 3}), ({"bands": 2}, {"mean": [], "std": [1.0] * 2})],
)
def test_bands_seen_otherwise_keep_what_was_measured_and_it_is_said(
    file: Path, change: dict[str, Any], measured: dict[str, Any]
) -> None:
    origin = _of_clips(file, BANDS, {"mean": [], "std": [2.0, 3.0, 4.0]})
    assert as_wanted(origin, measured) == measured
    (said,) = made_otherwise(origin, {**BANDS, **change})
    assert "these weights were made with 3 less that of the clip, so that their normalization is not taken" in said


def test_weights_over_samples_need_no_normalization_and_a_setting_says_a_rate_that_no_file_does(file: Path) -> None:
    waves = {**BANDS, "views": "wave"}
    origin = _of_clips(file, waves, {"mean": [], "std": []})
    assert origin.said.endswith("8,000 samples a second, each clip normalized by itself")
    assert as_wanted(origin, {"mean": [], "std": []}) == {"mean": [], "std": []}
    file.with_suffix(".json").unlink()
    told = read_origin(_given(**{"from": "file", "path": str(file), "sample_rate": 16000}), file)
    assert len(made_otherwise(told, waves)) == 1
