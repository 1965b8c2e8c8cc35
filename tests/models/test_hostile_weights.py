"""Files of weights that no network could have learned, or that are none: refused with a sentence, none is run."""

import io
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load, save

from benchmarks._hostile_archives import changed
from benchmarks._hostile_weights import MARK, NO_WEIGHTS, TORCH_ONLY, UNSOUND
from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.core.plugins import build
from components.models.classifier import ClassifierSpec
from components.models.encoder_file import build_encoder, load_encoder, save_encoder
from components.models.encoders import Encoder
from components.models.start_weights import read_start
from tests.pictures import spec_of

SPEC = spec_of(name="small_resnet", options={"width": 8}, channels=1, image_size=16, dim=32, mean=[0.5], std=[0.25])


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    monkeypatch.chdir(tmp_path)
    return build_encoder(SPEC)


def _refused(path: Path, encoder: Encoder) -> str:
    with pytest.raises(WinnowError) as refusal:
        read_start(path, encoder)
    assert not MARK.exists()
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize("case", UNSOUND)
def test_a_tensor_that_no_network_has_is_refused_by_name(encoder: Encoder, case: str) -> None:
    name, change = UNSOUND[case]
    tensors = {**encoder.state_dict(), name: change(encoder.state_dict()[name])}
    Path("w.safetensors").write_bytes(save(tensors))
    assert f"'{name}'" in _refused(Path("w.safetensors"), encoder)
    torch.save({"state_dict": tensors}, "w.pth")
    assert f"'{name}'" in _refused(Path("w.pth"), encoder)
    save_encoder(Path("ours.safetensors"), encoder, SPEC)
    Path("ours.safetensors").write_bytes(save(tensors))
    with pytest.raises(WinnowError, match=name):
        load_encoder(Path("ours.safetensors"))


@pytest.mark.filterwarnings("ignore")  # of torch about its own quantized tensors
@pytest.mark.parametrize("case", TORCH_ONLY)
def test_a_tensor_that_is_no_plain_one_is_refused(encoder: Encoder, case: str) -> None:
    name, change = TORCH_ONLY[case]
    torch.save({**encoder.state_dict(), name: change(encoder.state_dict()[name])}, "w.pth")
    said = _refused(Path("w.pth"), encoder)
    assert f"'{name}'" in said or "cannot be read as tensors alone" in said


@pytest.mark.parametrize("name", NO_WEIGHTS)
def test_a_file_that_holds_no_weights_is_refused(encoder: Encoder, name: str) -> None:
    Path(name).write_bytes(NO_WEIGHTS[name])
    assert name in _refused(Path(name), encoder)


@pytest.mark.parametrize("kind", ["safetensors", "pth", "old.pth"])
def test_a_file_cut_anywhere_is_refused(encoder: Encoder, kind: str) -> None:
    stream = io.BytesIO()
    torch.save(encoder.state_dict(), stream, _use_new_zipfile_serialization=kind != "old.pth")
    whole = save(encoder.state_dict()) if kind == "safetensors" else stream.getvalue()
    for part in range(1, 20):
        Path(f"w.{kind}").write_bytes(whole[: len(whole) * part // 20])
        assert "cannot be read as tensors alone" in _refused(Path(f"w.{kind}"), encoder)


@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_bytes_changed_by_chance_are_refused_or_are_tensors_that_fit(encoder: Encoder, kind: str) -> None:
    stream, chance = io.BytesIO(), random.Random(0)
    torch.save(encoder.state_dict(), stream)
    whole = save(encoder.state_dict()) if kind == "safetensors" else stream.getvalue()
    for _ in range(40):
        Path(f"w.{kind}").write_bytes(changed(whole, chance))
        try:
            fitted = read_start(Path(f"w.{kind}"), encoder).tensors
        except WinnowError:
            continue
        assert all(bool(torch.isfinite(tensor).all()) for tensor in fitted.values())
    assert not MARK.exists()


def test_half_precision_and_double_are_taken(encoder: Encoder) -> None:
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        tensors = {
            name: own.to(dtype) if own.is_floating_point() else own for name, own in encoder.state_dict().items()
        }
        Path("w.safetensors").write_bytes(save(tensors))
        assert len(read_start(Path("w.safetensors"), encoder).tensors) == len(load(save(tensors)))


@pytest.mark.parametrize(
    "options",
    [
        {"width": 10**9},
        {"width": 10**30},
        {"width": 1024, "blocks": [64, 64, 64]},
        {"blocks": [10**9, 1, 1]},
        {"blocks": [-1, 1, 1]},
    ],
)
def test_a_network_larger_than_any_machine_is_refused_before_memory_is_taken(options: dict[str, Any]) -> None:
    with pytest.raises(WinnowError, match=r"pretrain\.encoder"):
        build_encoder(SPEC.model_copy(update={"options": options}))


@pytest.mark.parametrize(
    "changed",
    [
        *({"temperature": value} for value in (0, 1e-300, 1e300, float("nan"))),
        *({"classes": names} for names in ([], ["cat", "cat"], ["cat", ""], ["cat", " "])),
        *({"std": [value]} for value in (0.0, 1e-40, 1e30)),
        {"mean": [1e30]},
    ],
)
def test_what_no_training_wrote_beside_the_weights_is_refused(changed: dict[str, Any]) -> None:
    facts = {"name": "small_resnet", "channels": 1, "image_size": 16, "dim": 32, "mean": [0.5], "std": [0.25]}
    spec = {"encoder": facts, "classes": ["cat", "dog"], "method": "full"}
    ClassifierSpec.model_validate(spec)
    spec |= {name: value for name, value in changed.items() if name not in facts}
    facts |= {name: value for name, value in changed.items() if name in facts}
    with pytest.raises(ValidationError):
        ClassifierSpec.model_validate(spec)


def test_the_outline_draws_nothing_at_random() -> None:
    torch.manual_seed(0)
    outlined = build_encoder(SPEC)
    torch.manual_seed(0)
    choice = PluginChoice.model_validate({"name": SPEC.name, **SPEC.options})
    alone = build("encoder", choice, SPEC.inputs.given, where="encoder")
    assert all(torch.equal(one, other) for one, other in zip(outlined.parameters(), alone.parameters(), strict=True))
