"""Networks of torchvision and timm as encoders: cut where they should be, refused where they do not fit."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torchvision import models

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.core.plugins import build
from components.methods.adaptation.full import Full
from components.models.encoders import Encoder
from components.models.encoders.timm_model import MISSING
from components.models.library_names import from_library, libraries, to_library
from tests.pictures import given


def _encoder(name: str, channels: int = 3, size: int = 64, **options: object) -> Encoder:
    torch.manual_seed(0)
    encoder: Encoder = build("encoder", PluginChoice(name=name, **options), given(channels, size), where="encoder")
    return encoder.eval()


@pytest.mark.parametrize(
    ("model", "dim", "last"),
    [
        ("shufflenet_v2_x0_5", 1024, "fc"),
        ("mobilenet_v3_small", 1024, "classifier.3"),
        ("squeezenet1_1", 512, "classifier.1"),
    ],
)
def test_the_vectors_are_what_torchvisions_last_layer_is_given(model: str, dim: int, last: str) -> None:
    encoder = _encoder("torchvision_model", model=model)
    whole = models.get_model(model, weights=None).eval()
    missing = whole.load_state_dict(to_library(encoder, encoder.state_dict()), strict=False).missing_keys
    assert missing == [f"{last}.weight", f"{last}.bias"]
    given: list[torch.Tensor] = []
    whole.get_submodule(last).register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        whole(pictures)
        vectors = encoder(pictures)
    assert vectors.shape == (2, dim) == (2, encoder.dim)
    pooled = given[0].mean((2, 3)) if given[0].dim() == 4 else given[0]
    torch.testing.assert_close(vectors, pooled)


def test_a_transformer_is_made_for_the_size_of_the_pictures() -> None:
    encoder = _encoder("torchvision_model", 1, 32, model="vit_b_32")
    assert encoder(torch.rand(1, 1, 32, 32)).shape == (1, 768)


def test_other_channels_get_a_new_first_convolution_alone() -> None:
    gray, color = (_encoder("torchvision_model", channels, model="shufflenet_v2_x0_5") for channels in (1, 3))
    shapes = [{name: value.shape for name, value in e.state_dict().items()} for e in (gray, color)]
    assert [name for name in shapes[0] if shapes[0][name] != shapes[1][name]] == ["network.conv1.0.weight"]
    vectors = gray.network.conv1[0](torch.randn(64, 1, 64, 64))  # type: ignore[index,union-attr,operator]
    assert vectors[..., 1:-1, 1:-1].std().item() == pytest.approx(1, rel=0.2)


def test_a_stride_of_1_keeps_places_and_shapes_of_weights() -> None:
    own, kept = (_encoder("torchvision_model", model="squeezenet1_1", stride=stride) for stride in (None, 1))
    assert {n: v.shape for n, v in own.state_dict().items()} == {n: v.shape for n, v in kept.state_dict().items()}
    sides = [e.network.features[0](torch.rand(1, 3, 64, 64)).shape[2] for e in (own, kept)]  # type: ignore[index,union-attr,operator]
    assert sides == [31, 62]


def test_nothing_in_a_network_draws_at_random() -> None:
    encoder = _encoder("torchvision_model", model="convnext_tiny").train()
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(encoder(pictures), encoder(pictures))


@pytest.mark.parametrize("model", ["shufflenet_v2_x0_5", "regnet_y_400mf"])
def test_settings_are_checked_by_shapes_alone(model: str) -> None:
    with torch.device("meta"):
        assert _encoder("torchvision_model", 1, 32, model=model).dim in (1024, 440)


def test_a_model_that_cannot_take_small_pictures_says_so() -> None:
    with pytest.raises(
        WinnowError, match=r"'alexnet' cannot take pictures of 32 pixels .*: choose another ingest.modality.image"
    ):
        _encoder("torchvision_model", 3, 32, model="alexnet")
    with pytest.raises(WinnowError, match="'vit_b_16' cannot take pictures of 20 pixels"):
        _encoder("torchvision_model", 3, 20, model="vit_b_16")


def test_a_typo_is_answered_with_the_nearest_model() -> None:
    with pytest.raises(
        WinnowError, match=r"unknown model 'mobilnet_v2' of torchvision .*: did you mean 'mobilenet_v2'"
    ):
        _encoder("torchvision_model", model="mobilnet_v2")


def test_lower_layers_of_a_whole_network_are_fine_tuned_more_slowly() -> None:
    groups = Full(_encoder("torchvision_model"), 2, Full.Config()).parameter_groups(1.0)
    assert len(groups) > 5
    assert groups[-1]["lr"] < groups[1]["lr"] < groups[0]["lr"]


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "torchvision_model"])
def test_names_go_to_the_library_and_come_back(name: str) -> None:
    encoder = _encoder(name)
    weights = encoder.state_dict()
    there = to_library(encoder, weights)
    assert list(there) == [
        key for key in models.get_model(encoder.library_model, weights=None).state_dict() if key in there
    ]
    back = from_library(encoder, {**there, "fc.weight": torch.zeros(1)})
    assert back.keys() == weights.keys()
    assert all(torch.equal(back[key], weights[key]) for key in weights)


def test_the_residual_networks_go_by_timms_names_too_and_ours_by_none() -> None:
    assert libraries(_encoder("resnet18")) == ["torchvision", "timm"]
    assert libraries(_encoder("torchvision_model")) == ["torchvision"]
    assert libraries(_encoder("small_resnet")) == []


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A stand-in for timm; what `create_model` was asked for."""
    asked: dict[str, Any] = {}

    def create_model(name: str, **options: Any) -> nn.Module:
        if "strange" in options:
            raise TypeError("unexpected keyword argument 'strange'")
        asked.update(options, name=name)
        return nn.Sequential(nn.Conv2d(options["in_chans"], 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    fake = ModuleType("timm")
    fake.__spec__ = ModuleSpec("timm", None)
    fake.list_models = lambda: ["resnet10t", "vit_tiny"]  # type: ignore[attr-defined]
    fake.get_pretrained_cfg = lambda name: SimpleNamespace(fixed_input_size=name == "vit_tiny")  # type: ignore[attr-defined]
    fake.create_model = create_model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "timm", fake)
    return asked


def test_timm_is_asked_for_a_network_without_classifier_or_weights(asked: dict[str, Any]) -> None:
    assert _encoder("timm_model", 1, 32, model="resnet10t").dim == 5
    assert asked == {"name": "resnet10t", "pretrained": False, "num_classes": 0, "in_chans": 1}
    _encoder("timm_model", 1, 32, model="vit_tiny", arguments={"patch_size": 4})
    assert (asked["img_size"], asked["patch_size"]) == (32, 4)


def test_what_timm_does_not_know_is_said(asked: dict[str, Any]) -> None:
    with pytest.raises(WinnowError, match=r"unknown model 'resnet10' of timm .*: did you mean 'resnet10t'"):
        _encoder("timm_model", model="resnet10")
    with pytest.raises(WinnowError, match=r"'resnet10t' does not take pretrain.encoder.arguments .*'strange'"):
        _encoder("timm_model", model="resnet10t", arguments={"strange": 1})


def test_without_timm_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.models.encoders.timm_model.find_spec", lambda _: None)
    with pytest.raises(WinnowError) as raised:
        _encoder("timm_model")
    assert str(raised.value) == MISSING


@pytest.mark.parametrize("model", ["mobilenetv3_small_050", "vit_tiny_patch16_224", "resnet10t"])
def test_timms_own_networks_give_what_timm_gives(model: str) -> None:
    timm = pytest.importorskip("timm")
    encoder = _encoder("timm_model", 1, 32, model=model)
    size = {"img_size": 32} if model.startswith("vit") else {}
    fresh = timm.create_model(model, pretrained=False, num_classes=0, in_chans=1, **size).eval()
    fresh.load_state_dict(to_library(encoder, encoder.state_dict()))
    pictures = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(encoder(pictures), fresh(pictures))


def test_timm_has_the_same_names_for_the_residual_networks() -> None:
    timm = pytest.importorskip("timm")
    for name in ("resnet18", "resnet50"):
        encoder = _encoder(name)
        fresh = timm.create_model(name, pretrained=False, num_classes=0).eval()
        fresh.load_state_dict(to_library(encoder, encoder.state_dict()))
        with torch.no_grad():
            torch.testing.assert_close(encoder(torch.ones(1, 3, 64, 64)), fresh(torch.ones(1, 3, 64, 64)))
