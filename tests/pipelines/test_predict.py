"""`winnow predict`: the same decoder as ingest, a line per picture, and a word for each file that is none."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from components.core.model_versions import Version
from components.modalities.image.decode import decode
from components.modalities.image.fitting import Preparation
from components.models.classifier import Classifier, ClassifierSpec, load_classifier, save_classifier
from components.models.encoder_file import EncoderSpec, build_encoder
from components.models.prediction_sets import PredictionSets
from pipelines import predict

SPEC = {"name": "small_resnet", "channels": 1, "image_size": 8, "dim": 128, "mean": [0.5], "std": [0.25]}


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A champion of two classes, and pictures beside it."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    spec = ClassifierSpec(encoder=EncoderSpec.model_validate(SPEC), classes=["cat", "elephant"], method="full")
    classifier = Classifier(build_encoder(spec.encoder), nn.Linear(128, 2), spec)
    save_classifier(tmp_path / "model.safetensors", classifier.eval())
    pixels = np.random.default_rng(0).integers(0, 256, (3, 20, 30), dtype=np.uint8)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(f"{number}.png")
    Path("no.png").write_text("<html>")
    monkeypatch.setattr(predict, "model_name", lambda: "toys")
    monkeypatch.setattr(predict, "find", lambda name, wanted: Version(name, 1, "", ""))
    monkeypatch.setattr(predict, "load_version", lambda version: load_classifier(tmp_path / "model.safetensors"))
    return tmp_path / "model.safetensors"


def test_the_classes_are_the_models_on_the_decoded_pictures(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [Path("0.png"), Path("1.png"), Path("2.png")]
    assert predict.predict_files(files, version="champion", as_json=True) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in said] == ["0.png", "1.png", "2.png"]
    pixels = np.stack([decode(file.read_bytes(), Preparation(8, 1)).pixels for file in files])
    with torch.inference_mode():
        expected = load_classifier(weights)(torch.from_numpy(pixels)).numpy()
    given = [[line["probabilities"]["cat"], line["probabilities"]["elephant"]] for line in said]
    np.testing.assert_allclose(given, expected, atol=1e-5)
    assert [line["class"] for line in said] == [["cat", "elephant"][best] for best in expected.argmax(axis=1)]


def test_a_file_that_is_no_picture_is_named_and_the_others_are_answered(
    weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [Path("no.png"), Path("0.png"), Path("gone.png")]
    assert predict.predict_files(files, version="1", as_json=False) == 1
    said = capsys.readouterr()
    assert said.out.startswith("0.png     ")
    assert len(said.out.splitlines()) == 1
    assert "winnow: no.png: not a picture" in said.err
    assert "winnow: gone.png: cannot be opened: No such file or directory." in said.err
    assert predict.predict_files([Path("no.png")], version="1", as_json=False) == 1


def test_many_pictures_are_answered_in_the_order_given(
    weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [Path("2.png"), Path("0.png"), Path("1.png")]
    predict.predict_files(files, version="champion", as_json=True)
    whole = capsys.readouterr().out
    monkeypatch.setattr(predict, "BATCH", 1)
    predict.predict_files(files, version="champion", as_json=True)
    pieces = capsys.readouterr().out
    assert [json.loads(a)["class"] for a in whole.splitlines()] == [json.loads(b)["class"] for b in pieces.splitlines()]
    assert [json.loads(line)["file"] for line in pieces.splitlines()] == ["2.png", "0.png", "1.png"]


def state(weights: Path, sets: PredictionSets) -> None:
    """The champion makes these prediction sets."""
    path = weights.with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "sets": sets.model_dump()}))


@pytest.mark.parametrize(("highest", "size"), [(1.0, 2), (0.5, 1), (0.0, 1)])
def test_the_set_stands_behind_what_stood_there_before(
    weights: Path, capsys: pytest.CaptureFixture[str], highest: float, size: int
) -> None:
    predict.predict_files([Path("0.png")], version="1", as_json=False)
    before = capsys.readouterr().out.rstrip()
    state(weights, PredictionSets(highest=highest, labels=20))
    predict.predict_files([Path("0.png")], version="1", as_json=False)
    predict.predict_files([Path("0.png")], version="1", as_json=True)
    table, line = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    expected = sorted(said["probabilities"], key=lambda name: -said["probabilities"][name])[:size]
    assert table == f"{before}  {{{', '.join(expected)}}}"
    assert (said["set"], said["coverage"]) == (expected, 0.9)


def test_sets_that_rule_out_nothing_are_told_once(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state(weights, PredictionSets(labels=4))
    predict.predict_files([Path("0.png"), Path("1.png")], version="1", as_json=False)
    said = capsys.readouterr()
    assert said.err.splitlines()[0] == "winnow: 4 held-out labels rule out no class at 0.9 coverage."
    assert all(line.endswith("cat}") or line.endswith("elephant}") for line in said.out.splitlines())
