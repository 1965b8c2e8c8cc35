"""An exported encoder gives the same vectors wherever it goes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.models import export as exporting
from components.models.adapters import add_adapters
from components.models.additions import Additions
from components.models.encoder_file import EncoderSpec, Inputs, build_encoder, load_encoder
from components.models.encoders import Encoder
from components.models.export import ONNX_NEEDS, check_format, export
from tests.pictures import spec_of

TEXTS = Inputs(modality=PluginChoice(name="text"), statistics={"counts": {"the": 2, "owl": 1}})


def _trained(name: str, channels: int = 3, size: int = 64, **options: object) -> tuple[Encoder, EncoderSpec]:
    """An encoder whose statistics are not those it is made with, in evaluation mode."""
    torch.manual_seed(0)
    dims = {"resnet18": 512, "resnet50": 2048, "torchvision_model": 1024, "small_resnet": 32, "timm_model": 512}
    dim = 768 if options.get("model") == "vit_b_32" else dims[name]
    statistics = {"mean": [0.4] * channels, "std": [0.3] * channels}
    spec = spec_of(name=name, options=options, channels=channels, image_size=size, dim=dim, **statistics)  # type: ignore[arg-type]
    encoder = build_encoder(spec)
    with torch.no_grad():
        encoder.train()(torch.randn(4, channels, size, size))
    return encoder.eval(), spec


def _pictures(spec: EncoderSpec, count: int = 5) -> torch.Tensor:
    return torch.randint(0, 256, (count, *spec.inputs.given.shape), dtype=torch.uint8)


def _vectors(encoder: Encoder, spec: EncoderSpec, pictures: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        vectors: torch.Tensor = encoder(spec.inputs.plain(pictures))
    return vectors


def _follow(path: Path, monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """The network that the lines in the file's `.json` make."""
    monkeypatch.chdir(path.parent)
    names: dict[str, torch.nn.Module] = {}
    exec("\n".join(json.loads(path.with_suffix(".json").read_text())["load"]), names)
    return names["network"]


@pytest.mark.parametrize(
    ("name", "channels", "size", "options"),
    [
        ("resnet18", 3, 64, {}),
        ("resnet18", 1, 32, {}),
        ("resnet50", 3, 64, {}),
        ("torchvision_model", 3, 64, {}),
        ("torchvision_model", 1, 32, {"stride": 1}),
        ("torchvision_model", 1, 32, {"model": "vit_b_32"}),
    ],
)
def test_torchvisions_own_network_takes_the_weights_and_gives_the_same_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, channels: int, size: int, options: dict[str, object]
) -> None:
    encoder, spec = _trained(name, channels, size, **options)
    pictures = _pictures(spec)
    before = _vectors(encoder, spec, pictures)
    network = _follow(export(encoder, spec, tmp_path, "torchvision"), monkeypatch)
    with torch.no_grad():
        torch.testing.assert_close(network(spec.inputs.plain(pictures)), before)


def test_a_network_as_it_is_misses_nothing_but_its_classifier(tmp_path: Path) -> None:
    from safetensors.torch import load_file
    from torchvision.models import resnet18

    weights = load_file(export(*_trained("resnet18"), tmp_path, "torchvision"))
    left = resnet18().load_state_dict(weights, strict=False)
    assert (left.missing_keys, left.unexpected_keys) == (["fc.weight", "fc.bias"], [])


@pytest.mark.parametrize(("name", "options"), [("resnet18", {}), ("timm_model", {"model": "resnet10t"})])
def test_timms_own_network_takes_the_weights_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, object]
) -> None:
    pytest.importorskip("timm")
    encoder, spec = _trained(name, 1, 32, **options)
    pictures = _pictures(spec)
    network = _follow(export(encoder, spec, tmp_path, "timm"), monkeypatch)
    with torch.no_grad():
        given = network(spec.inputs.plain(pictures))
    torch.testing.assert_close(given, _vectors(encoder, spec, pictures))


def test_our_own_format_comes_back_whole(tmp_path: Path) -> None:
    encoder, spec = _trained("small_resnet", 1, 16, width=8)
    loaded, same = load_encoder(export(encoder, spec, tmp_path, "winnow"))
    assert same == spec
    assert all(torch.equal(value, encoder.state_dict()[name]) for name, value in loaded.state_dict().items())


@pytest.mark.slow  # a process of its own loads all of torch's exporter
@pytest.mark.parametrize(
    ("name", "options"), [("small_resnet", {"width": 8}), ("torchvision_model", {"model": "vit_b_32"})]
)
def test_pt2_is_a_program_of_its_own_for_any_number_of_pictures(
    tmp_path: Path, name: str, options: dict[str, object]
) -> None:
    encoder, spec = _trained(name, 1, 32, **options)
    path = export(encoder, spec, tmp_path, "pt2")
    pictures = _pictures(spec, 7)
    torch.save(pictures, tmp_path / "pictures")
    code = (
        "import pickle, sys, torch\n"
        "def refuse(*_, **__): raise AssertionError('a pickle')\n"
        "pictures = torch.load('pictures')\n"
        "class Refuse(pickle.Unpickler):\n    load = refuse\n"
        "pickle.loads, pickle.load, pickle.Unpickler, pickle._Unpickler = refuse, refuse, Refuse, Refuse\n"
        "network = torch.export.load('encoder_pt2.pt2').module()\n"
        "assert not any(name.startswith('components') for name in sys.modules)\n"
        "torch.save([network(pictures), network(pictures[:1])], 'vectors')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=path.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seven, one = torch.load(tmp_path / "vectors")
    torch.testing.assert_close(seven, _vectors(encoder, spec, pictures), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(one, seven[:1], rtol=1e-4, atol=1e-5)
    assert json.loads(path.with_suffix(".json").read_text())["inputs"]["modality"]["image_size"] == 32


def test_onnx_gives_the_same_vectors(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    from onnx.reference import ReferenceEvaluator

    encoder, spec = _trained("small_resnet", 1, 16, width=8)
    path = export(encoder, spec, tmp_path, "onnx")
    onnx.checker.check_model(str(path))
    pictures = _pictures(spec, 3)
    (vectors,) = ReferenceEvaluator(str(path)).run(None, {"pictures": pictures.numpy()})
    expected = _vectors(encoder, spec, pictures)
    torch.testing.assert_close(torch.from_numpy(vectors), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow  # it loads all of torch's exporter
@pytest.mark.parametrize(
    ("name", "options", "dim", "additions"),
    [
        ("small_resnet", {"width": 8}, 32, Additions(adapters=4, border=2)),
        ("vit_small", {"width": 24, "depth": 2, "heads": 2}, 24, Additions(adapters=4, tokens=3)),
    ],
)
def test_what_was_added_after_pretraining_is_in_the_program(
    tmp_path: Path, name: str, options: dict[str, object], dim: int, additions: Additions
) -> None:
    spec = spec_of(
        name=name, options=options, channels=1, image_size=16, dim=dim, mean=[0.4], std=[0.3], additions=additions
    )
    encoder = build_encoder(spec).eval()
    for key, parameter in encoder.named_parameters():
        if "adapter" in key or "border" in key:
            torch.nn.init.normal_(parameter)
    loaded = torch.export.load(export(encoder, spec, tmp_path, "pt2")).module()
    pictures = _pictures(spec, 3)
    torch.testing.assert_close(loaded(pictures), _vectors(encoder, spec, pictures), rtol=1e-4, atol=1e-4)
    ours, same = load_encoder(export(encoder, spec, tmp_path, "winnow"))
    assert same == spec
    torch.testing.assert_close(_vectors(ours.eval(), spec, pictures), _vectors(encoder, spec, pictures))


def test_a_librarys_format_is_refused_for_an_encoder_with_additions() -> None:
    encoder, spec = _trained("resnet18")
    check_format("torchvision", encoder, spec.inputs)
    add_adapters(encoder, 4)
    with pytest.raises(WinnowError, match="no network with what finetune added"):
        check_format("torchvision", encoder, spec.inputs)


def test_without_onnx_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "find_spec", lambda _: None)
    encoder, spec = _trained("small_resnet", 1, 16, width=8)
    with pytest.raises(WinnowError, match=f"pip install {' '.join(ONNX_NEEDS)}`, or choose --format pt2"):
        check_format("onnx", encoder, spec.inputs)


@pytest.mark.parametrize("name", ["pt2", "onnx"])
def test_no_program_holds_what_makes_numbers_of_texts(name: str) -> None:
    with pytest.raises(WinnowError, match=f"--format {name} is a program .* numbers of texts is none: choose --format"):
        check_format(name, _trained("small_resnet", 1, 16, width=8)[0], TEXTS)


def test_of_texts_no_program_is_offered() -> None:
    encoder = build_encoder(EncoderSpec(name="attention_bag", dim=128, inputs=TEXTS))
    for name in ("timm", "sentence_transformers"):
        with pytest.raises(WinnowError, match=r"no network like AttentionBag.* choose from --format winnow[.;]"):
            check_format(name, encoder, TEXTS)


def test_a_format_that_cannot_be_is_answered_with_those_that_can() -> None:
    encoder, spec = _trained("small_resnet", 1, 16, width=8)
    other, of_other = _trained("torchvision_model")
    with pytest.raises(WinnowError, match=r"torchvision has no network like SmallResnet: .* winnow, pt2, onnx"):
        check_format("torchvision", encoder, spec.inputs)
    with pytest.raises(WinnowError, match=r"timm has no network like TorchvisionModel: .* winnow, torchvision, pt2"):
        check_format("timm", other, of_other.inputs)
    with pytest.raises(WinnowError, match="unknown --format 'pt': did you mean 'pt2'"):
        check_format("pt", encoder, spec.inputs)


def test_a_program_with_other_vectors_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "allclose", lambda *_, **__: False)
    with pytest.raises(WinnowError, match=r"encoder_pt2.pt2 does not give the encoder's vectors"):
        export(*_trained("small_resnet", 1, 16, width=8), tmp_path, "pt2")
    assert not (tmp_path / "encoder_pt2.pt2").exists()
