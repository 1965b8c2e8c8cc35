"""The classifier: raw pictures in, probabilities out, the same after a trip to disk."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from components.core.errors import WinnowError
from components.models.classifier import Classifier, ClassifierSpec, load_classifier, save_classifier
from components.models.encoder_file import build_encoder
from tests.pictures import spec_of


@pytest.fixture
def classifier() -> Classifier:
    torch.manual_seed(0)
    options = {"width": 8}
    spec = spec_of(name="small_resnet", options=options, channels=1, image_size=16, dim=32, mean=[0.3], std=[0.2])
    encoder = build_encoder(spec)
    settings = ClassifierSpec(encoder=spec, classes=["a", "b", "c"], temperature=2.0, method="full")
    return Classifier(encoder, nn.Linear(32, 3), settings).eval()


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.randint(0, 256, (5, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_temperature_divides_the_logits(classifier: Classifier, pictures: torch.Tensor) -> None:
    expected = torch.softmax(classifier.head(classifier.features(pictures)) / 2, dim=1)
    torch.testing.assert_close(classifier(pictures), expected)


def test_a_saved_classifier_says_the_same(classifier: Classifier, pictures: torch.Tensor, tmp_path: Path) -> None:
    save_classifier(tmp_path / "model.safetensors", classifier)
    loaded = load_classifier(tmp_path / "model.safetensors")
    assert loaded.spec == classifier.spec
    assert not loaded.training
    assert torch.equal(loaded(pictures), classifier(pictures))


def test_saving_twice_gives_the_same_bytes(classifier: Classifier, tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_classifier(tmp_path / f"{name}.safetensors", classifier)
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "two.safetensors").read_bytes()
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_exports_for_any_batch_size(classifier: Classifier, pictures: torch.Tensor) -> None:
    batch = torch.export.Dim("batch", min=1, max=1024)
    program = torch.export.export(classifier, (pictures,), dynamic_shapes=({0: batch},))
    torch.testing.assert_close(program.module()(pictures[:3]), classifier(pictures[:3]))


def test_weights_of_another_shape_are_refused_with_a_sentence(classifier: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_classifier(path, classifier)
    settings = json.loads(path.with_suffix(".json").read_text())
    settings["classes"].append("d")
    path.with_suffix(".json").write_text(json.dumps(settings))
    with pytest.raises(WinnowError, match=r"'head\.bias' is \(3,\) where \(4,\) is expected"):
        load_classifier(path)


def test_missing_and_damaged_files_are_named(classifier: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(WinnowError, match=r"is missing[:;] run `dvc repro finetune`"):
        load_classifier(path)
    save_classifier(path, classifier)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(WinnowError, match="damaged"):
        load_classifier(path)


def test_a_classifier_saved_before_there_were_prediction_sets_loads(classifier: Classifier, tmp_path: Path) -> None:
    save_classifier(tmp_path / "model.safetensors", classifier)
    settings = json.loads((tmp_path / "model.json").read_text())
    del settings["sets"]
    (tmp_path / "model.json").write_text(json.dumps(settings))
    assert load_classifier(tmp_path / "model.safetensors").spec.sets is None
