"""An encoder for use elsewhere: its weights by a library's names, or as a program of its own (pt2, ONNX)."""

import json
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from components.core.config import did_you_mean
from components.core.errors import WinnowError
from components.core.files import replacing, write_text
from components.modalities import Modality
from components.models.additions import Additions
from components.models.encoder_file import EncoderSpec, Inputs, save_encoder
from components.models.encoders import Encoder
from components.models.library_names import libraries, to_library
from components.models.sentence_folder import sentence_folder

FORMATS = ("winnow", "torchvision", "timm", "sentence_transformers", "pt2", "onnx")
PROGRAMS = ("pt2", "onnx")
ONNX_NEEDS = ("onnx", "onnxscript")
SENTENCES = [
    "from sentence_transformers import SentenceTransformer",
    "network = SentenceTransformer('sentence_transformers')",
]


class RecordEncoder(nn.Module):
    """Records `(N, *shape)` in, `(N, dim)` vectors out; how they are looked at is inside."""

    def __init__(self, encoder: Encoder, spec: EncoderSpec) -> None:
        super().__init__()
        self.encoder, self.plain = encoder, spec.inputs.plain

    def forward(self, records: Tensor) -> Tensor:
        """As the class says."""
        vectors: Tensor = self.encoder(self.plain(records))
        return vectors


def check_format(name: str, encoder: Encoder, inputs: Inputs) -> None:
    """Raise WinnowError for a format that is unknown, or that this encoder or this environment does not have."""
    kind = inputs.kind
    if name not in FORMATS:
        raise WinnowError(f"unknown --format '{name}': {did_you_mean(name, list(FORMATS))}")
    if name in PROGRAMS and not kind.traceable:
        raise WinnowError(
            f"--format {name} is a program of tensor operations, and what makes numbers of {kind.noun[1]} is none: "
            "choose --format winnow, which pretrain.weights of another project takes."
        )
    theirs = libraries(encoder)
    others = ", ".join(["winnow", *theirs, *(PROGRAMS if kind.traceable else ())])
    if name == "sentence_transformers" and _sentences(encoder, inputs) is None:
        raise WinnowError(
            f"sentence-transformers has no network like {type(encoder).__name__} as it is here: choose from --format "
            f"{others}; it has word_vectors over a vocabulary of words, and its own where finetune adds nothing."
        )
    if name in ("torchvision", "timm") and name not in theirs:
        if encoder.additions != Additions():
            raise WinnowError(
                f"{name} has no network with what finetune added to this encoder (adapters or prompts): choose from "
                f"--format {others}, or adapt with lora, which adds nothing."
            )
        raise WinnowError(f"{name} has no network like {type(encoder).__name__}: choose from --format {others}.")
    missing = [one for one in ONNX_NEEDS if find_spec(one) is None]
    if name == "onnx" and missing:
        raise WinnowError(
            f"--format onnx needs {' and '.join(missing)}, not installed here: `pip install {' '.join(missing)}`, "
            "or choose --format pt2."
        )


def export(encoder: Encoder, spec: EncoderSpec, folder: Path, name: str) -> Path:
    """Write `encoder` (on the CPU) in the format into `folder`; its file, beside which a `.json` says how to use it.

    Raises WinnowError as `check_format` does, and where the written program does not give the encoder's vectors.
    """
    check_format(name, encoder, spec.inputs)
    encoder = encoder.cpu().to(memory_format=torch.contiguous_format).eval()
    folder.mkdir(parents=True, exist_ok=True)
    if name == "winnow":
        save_encoder(folder / "encoder.safetensors", encoder, spec)
        return folder / "encoder.safetensors"
    facts = {
        key: value for key, value in spec.model_dump(mode="json").items() if key not in ("name", "options", "additions")
    }
    if name in ("torchvision", "timm"):
        path = _by_library(encoder, folder, name)
        made = [f"import torch, {name}", "from safetensors.torch import load_file", *encoder.library_code(name)]
        facts["load"] = [*made, f"network.load_state_dict(load_file({path.name!r}))", "network.eval()"]
        facts["given"] = spec.inputs.kind.views_are
    elif name == "sentence_transformers":
        path = _as_sentences(encoder, spec.inputs, folder / name)
        facts["load"] = SENTENCES
        facts["given"] = "texts: network.encode([...]); vectors are of length 1"
    else:
        path = (_pt2 if name == "pt2" else _onnx)(RecordEncoder(encoder, spec).eval(), spec.inputs.kind, folder)
        facts["given"] = f"{spec.inputs.kind.records_are}; all that a model does to them first is inside"
    write_text(path.with_suffix(".json"), json.dumps(facts, indent=2, sort_keys=True) + "\n")
    return path


def _sentences(encoder: Encoder, inputs: Inputs) -> tuple[Mapping[str, str], Mapping[str, Any]] | None:
    """Modules and files of the folder; None where there is none like this encoder and its vocabulary."""
    cut = inputs.kind.vocabulary_file(inputs.statistics)
    if cut is None or encoder.additions != Additions():
        return None
    return encoder.sentence_parts(cut, encoder.shape[0])


def _as_sentences(encoder: Encoder, inputs: Inputs, folder: Path) -> Path:
    parts = _sentences(encoder, inputs)
    assert parts is not None
    sentence_folder(folder, *parts)
    return next(folder.rglob("*.safetensors"))


def _by_library(encoder: Encoder, folder: Path, library: str) -> Path:
    from safetensors.torch import save

    weights = {name: value.detach().contiguous() for name, value in encoder.state_dict().items()}
    path = folder / f"encoder_{library}.safetensors"
    with replacing(path) as aside:
        aside.write_bytes(save(to_library(encoder, weights)))
    return path


def _pt2(module: RecordEncoder, kind: Modality, folder: Path) -> Path:
    path = folder / "encoder_pt2.pt2"
    with _quiet():
        program = torch.export.export(module, (_records(2, kind),), dynamic_shapes=[{0: torch.export.Dim("count")}])
        with replacing(path) as aside:
            torch.export.save(program, aside)
        loaded = torch.export.load(path).module()
    _check(module, kind, lambda records: loaded(records), path)
    return path


def _onnx(module: RecordEncoder, kind: Modality, folder: Path) -> Path:
    path = folder / "encoder_onnx.onnx"
    with _quiet(), replacing(path) as aside:
        torch.onnx.export(
            module,
            (_records(2, kind),),
            aside,
            input_names=["records"],
            output_names=["vectors"],
            dynamic_shapes=[{0: torch.export.Dim("count")}],
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    return path


def _check(module: RecordEncoder, kind: Modality, loaded: Any, path: Path) -> None:
    for count in (1, 3):
        records = _records(count, kind)
        with torch.no_grad():
            if not torch.allclose(loaded(records), module(records), rtol=1e-4, atol=1e-5):
                path.unlink()
                raise WinnowError(
                    f"{path.name} does not give the encoder's vectors: nothing was kept; report a defect."
                )


def _records(count: int, kind: Modality) -> Tensor:
    generator = np.random.default_rng(count)
    shape = kind.full_shape
    if np.issubdtype(kind.dtype, np.integer):
        return torch.from_numpy(generator.integers(0, 256, (count, *shape)).astype(kind.dtype))
    return torch.from_numpy(generator.standard_normal((count, *shape)).astype(kind.dtype))


def _quiet() -> warnings.catch_warnings:
    """Torch's exporters warn about their own parts."""
    return warnings.catch_warnings(action="ignore")
