"""The encoder on disk: its weights in one file, and beside it what rebuilds it and how its pictures are normalized."""

import json
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, ValidationError
from torch import Tensor

from components.core.config import Config, PluginChoice
from components.core.errors import WinnowError
from components.core.files import replacing, write_text
from components.core.registry import build
from components.models.adapters import add_adapters
from components.models.additions import Additions
from components.models.encoders import Encoder
from components.models.prompts import add_border, add_tokens

FULL = (0.0, 65535.0)  # black and white of 16 bits


class EncoderSpec(Config):
    """What rebuilds an encoder but its weights.

    name, options: the plug-in; channels, image_size: of its pictures; dim: of its vectors; mean, std: per channel, on a
    scale of 0 to 1; additions: what it got after pretraining; fit, span: how pictures of another form are prepared, as
    in `components.modalities.image.fitting`; not written where they are the usual ones.
    """

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    channels: int = Field(ge=1)
    image_size: int = Field(ge=1)
    dim: int = Field(ge=1)
    mean: list[float]
    std: list[float]
    additions: Additions = Additions()
    fit: Literal["crop", "pad", "stretch"] = Field(default="crop", exclude_if=lambda fit: fit == "crop")
    span: tuple[float, float] | None = Field(default=FULL, exclude_if=lambda span: span == FULL)


def normalize(pictures: Tensor, mean: list[float], std: list[float]) -> Tensor:
    """`(N, C, S, S)` uint8 -> float32 `(x / 255 - mean) / std`, channel by channel."""
    scale = torch.tensor([1 / (255 * s) for s in std], device=pictures.device).view(-1, 1, 1)
    shift = torch.tensor([m / s for m, s in zip(mean, std, strict=True)], device=pictures.device).view(-1, 1, 1)
    return pictures.float() * scale - shift


def build_encoder(spec: EncoderSpec, *, where: str = "pretrain.encoder") -> Encoder:
    """A new encoder with the weights it is initialized with. Raises WinnowError for wrong options or another `dim`."""
    choice = PluginChoice.model_validate({"name": spec.name, **spec.options})
    encoder: Encoder = build("encoder", choice, spec.channels, spec.image_size, where=where)
    if encoder.dim != spec.dim:
        raise WinnowError(
            f"encoder '{spec.name}' makes vectors of {encoder.dim} numbers where its file says {spec.dim}: "
            "run `dvc repro pretrain` to train it anew."
        )
    if spec.additions.adapters:
        add_adapters(encoder, spec.additions.adapters)
    if spec.additions.tokens:
        add_tokens(encoder, spec.additions.tokens)
    if spec.additions.border:
        add_border(encoder, spec.additions.border)
    return encoder


def save_encoder(path: Path, encoder: Encoder, spec: EncoderSpec) -> None:
    """Write the weights to `path` (safetensors) and the spec to the `.json` beside it."""
    from safetensors.torch import save

    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in encoder.state_dict().items()}
    with replacing(path) as aside:
        aside.write_bytes(save(weights))  # unlike save_file, a full disk is an OSError
    write_text(path.with_suffix(".json"), json.dumps(spec.model_dump(mode="json"), indent=2, sort_keys=True) + "\n")


def load_encoder(path: Path) -> tuple[Encoder, EncoderSpec]:
    """The encoder saved at `path`, on the CPU, and its spec.

    Raises WinnowError when a file is missing or damaged, or when weights and spec are not of one piece.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        spec = EncoderSpec.model_validate_json(path.with_suffix(".json").read_text(encoding="utf-8"))
        weights = load_file(path)
    except FileNotFoundError as error:
        raise WinnowError(f"{error.filename or path} is missing: run `dvc repro pretrain` to make it.") from None
    except (ValidationError, SafetensorError) as error:
        problem = str(error).splitlines()[0]
        raise WinnowError(f"{path} or its .json is damaged ({problem}): restore both with `dvc checkout`.") from None
    encoder = build_encoder(spec)
    _check_shapes(path, encoder, weights)
    encoder.load_state_dict(weights)
    return encoder, spec


def _check_shapes(path: Path, encoder: Encoder, weights: dict[str, Tensor]) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in encoder.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        raise WinnowError(
            f"{path} does not fit the settings in its .json: '{wrong[0]}' is {found.get(wrong[0], 'absent')} where "
            f"{wanted.get(wrong[0], 'nothing')} is expected ({len(wrong)} such tensors); run `dvc repro pretrain`."
        )
