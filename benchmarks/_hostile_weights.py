"""Files of weights that no network could have learned, or that are none; what they run leaves a mark."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

MARK = Path("executed")
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


class Evil:
    """Whoever unpickles it runs code, which leaves MARK in the current folder."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(MARK),)


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
    "pickle.safetensors": pickle.dumps(Evil()),
    "empty.pth": b"",
    "words.pth": b"<html>not found</html>",
    "code.pth": _saved(Evil()),
    "code-inside.pth": _saved({KERNEL: Evil()}),
    "code-old.pth": pickle.dumps(Evil()),
    "list.pth": _saved([torch.zeros(1)]),
    "number.pth": _saved(1),
    "names-only.pth": _saved({"a": "b"}),
    "empty-names.pth": _saved({}),
    "no-torch.pth": _compressed(),
    "zip.pt": b"PK\x03\x04" + bytes(100),
    "pickle-of-lists.pth": pickle.dumps([[]] * 10),
    "kind.bin": b"x",
}  # fmt: skip
