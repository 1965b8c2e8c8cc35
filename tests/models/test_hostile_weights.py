"""Files of weights that no network could have learned, or that are none: refused with a sentence, none is run."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.core.registry import build
from components.models.encoder_file import EncoderSpec, build_encoder, load_encoder, save_encoder
from components.models.encoders import Encoder
from components.models.start_weights import read_start

SPEC = EncoderSpec(name="small_resnet", options={"width": 8}, channels=1, image_size=16, dim=32, mean=[0.5], std=[0.25])
KERNEL, VARIANCE, COUNT = "stem.0.weight", "stem.1.running_var", "stem.1.num_batches_tracked"
FLOAT8 = (torch.float8_e4m3fn, torch.float8_e5m2)
Change = Callable[[Tensor], Tensor]


def _as(dtype: torch.dtype) -> Change:
    return lambda own: own.to(dtype)


def _one(value: float) -> Change:
    """The first number only: the others are as they were."""

    def put(own: Tensor) -> Tensor:
        changed = own.clone().flatten()
        changed[0] = value
        return changed.view_as(own)

    return put


UNSOUND: dict[str, tuple[str, Change]] = {
    **{f"{name} of {dtype}": (name, _as(dtype))
       for name in (KERNEL, "stem.1.weight", VARIANCE, "stages.2.norm2.running_mean")
       for dtype in (torch.bool, torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64, torch.complex64,
                     *FLOAT8)},
    **{f"{COUNT} of {dtype}": (COUNT, _as(dtype))
       for dtype in (torch.float32, torch.bool, torch.int8, torch.complex64)},
    **{f"{name} with {value}": (name, _one(value))
       for name in (KERNEL, "stem.1.bias", VARIANCE, "stages.2.norm2.running_mean")
       for value in (float("nan"), float("inf"), -float("inf"), 1e38, 1e30, 1e12)},
    **{f"{name} with {value}": (name, _one(value)) for name in (KERNEL, "stem.1.bias") for value in (-1e38, -1e9)},
    **{f"variances with {value}": (VARIANCE, _one(value)) for value in (-1e-6, -1.0, -1e38)},
    "a double that single precision does not hold": (KERNEL, lambda own: _one(1e300)(own.double())),
    "a count below zero": (COUNT, lambda own: own - 1),
}  # fmt: skip
TORCH_ONLY: dict[str, tuple[str, Change]] = {
    "a sparse tensor": (KERNEL, lambda own: own.to_sparse()),
    "a quantized tensor": (KERNEL, lambda own: torch.quantize_per_tensor(own, 0.1, 0, torch.qint8)),
    "a tensor without memory": (KERNEL, lambda own: own.to("meta")),
}


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("executed",)


def _saved(content: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def _header(header: Any, body: bytes = b"", size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if size is None else size).to_bytes(8, "little") + text + body


def _compressed() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(10**6))
    return stream.getvalue()


def _tensor(**changed: Any) -> dict[str, Any]:
    return {KERNEL: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **changed}}


TWICE = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
NO_WEIGHTS: dict[str, bytes] = {
    "empty.safetensors": b"",
    "words.safetensors": b"<html>not found</html>",
    "exabytes.safetensors": _header({}, size=2**60),
    "gigabytes.safetensors": _header({}, size=2**33),
    "no-tensors.safetensors": _header({}),
    "list.safetensors": _header([1]),
    "latin.safetensors": _header(b"\xff\xfe"),
    "deep.safetensors": _header(b"[" * 100_000),
    "twice.safetensors": _header(TWICE, bytes(8)),
    "negative.safetensors": _header(_tensor(shape=[-1]), bytes(4)),
    "overflow.safetensors": _header(_tensor(shape=[2**40, 2**40]), bytes(4)),
    "beyond.safetensors": _header(_tensor(data_offsets=[0, 2**40]), bytes(4)),
    "unknown.safetensors": _header(_tensor(dtype="F1"), bytes(4)),
    "nothing.safetensors": _header(_tensor(shape=[0], data_offsets=[0, 0])),
    "pickle.safetensors": pickle.dumps(_Evil()),
    "empty.pth": b"",
    "words.pth": b"<html>not found</html>",
    "code.pth": _saved(_Evil()),
    "code-inside.pth": _saved({KERNEL: _Evil()}),
    "code-old.pth": pickle.dumps(_Evil()),
    "list.pth": _saved([torch.zeros(1)]),
    "number.pth": _saved(1),
    "names-only.pth": _saved({"a": "b"}),
    "empty-names.pth": _saved({}),
    "no-torch.pth": _compressed(),
    "zip.pt": b"PK\x03\x04" + bytes(100),
    "pickle-of-lists.pth": pickle.dumps([[]] * 10),
    "kind.bin": b"x",
}  # fmt: skip


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    monkeypatch.chdir(tmp_path)
    return build_encoder(SPEC)


def _refused(path: Path, encoder: Encoder) -> str:
    with pytest.raises(WinnowError) as refusal:
        read_start(path, encoder)
    assert not Path("executed").exists()
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


def test_the_outline_draws_nothing_at_random() -> None:
    torch.manual_seed(0)
    outlined = build_encoder(SPEC)
    torch.manual_seed(0)
    choice = PluginChoice.model_validate({"name": SPEC.name, **SPEC.options})
    alone = build("encoder", choice, SPEC.channels, SPEC.image_size, where="encoder")
    assert all(torch.equal(one, other) for one, other in zip(outlined.parameters(), alone.parameters(), strict=True))
