"""The encoder on disk: its weights in one file, and beside it what rebuilds it and how its pictures are normalized."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import torch
from pydantic import Field, model_validator
from torch import Tensor

from components.core.config import Config, PluginChoice
from components.core.errors import WinnowError
from components.core.files import replacing, write_text
from components.core.registry import build
from components.models.adapters import add_adapters
from components.models.additions import Additions
from components.models.encoder_size import outlined
from components.models.encoders import Encoder
from components.models.prompts import add_border, add_tokens
from components.models.sound_tensors import load_whole

Spec = TypeVar("Spec", bound=Config)
REMEDY = "run `dvc repro pretrain` to make it, or restore it and its .json with `dvc checkout`"

FULL = (0.0, 65535.0)  # black and white of 16 bits


class EncoderSpec(Config):
    """What rebuilds an encoder but its weights.

    name, options: the plug-in; channels, image_size: of its pictures; dim: of its vectors; mean, std: per channel, on a
    scale of 0 to 1; additions: what it got after pretraining; fit, span: how pictures of another form are prepared, as
    in `components.modalities.image.fitting`; not written where they are the usual ones.
    """

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    channels: int = Field(ge=1, le=64)
    image_size: int = Field(ge=1, le=1024)
    dim: int = Field(ge=1)
    mean: list[float]
    std: list[Annotated[float, Field(gt=0)]]
    additions: Additions = Additions()
    fit: Literal["crop", "pad", "stretch"] = Field(default="crop", exclude_if=lambda fit: fit == "crop")
    span: tuple[float, float] | None = Field(default=FULL, exclude_if=lambda span: span == FULL)

    @model_validator(mode="after")
    def _one_for_each_channel(self) -> Self:
        if not len(self.mean) == len(self.std) == self.channels:
            raise ValueError(f"mean and std must be lists of {self.channels}, one number for each channel")
        return self


def normalize(pictures: Tensor, mean: list[float], std: list[float]) -> Tensor:
    """`(N, C, S, S)` uint8 -> float32 `(x / 255 - mean) / std`, channel by channel."""
    scale = torch.tensor([1 / (255 * s) for s in std], device=pictures.device).view(-1, 1, 1)
    shift = torch.tensor([m / s for m, s in zip(mean, std, strict=True)], device=pictures.device).view(-1, 1, 1)
    return pictures.float() * scale - shift


def build_encoder(spec: EncoderSpec, *, where: str = "pretrain.encoder") -> Encoder:
    """A new encoder with the weights it is initialized with. Raises WinnowError for wrong options or another `dim`."""
    choice = PluginChoice.model_validate({"name": spec.name, **spec.options})
    outlined(choice, spec.channels, spec.image_size, where=where)
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
    spec = read_spec(path.with_suffix(".json"), EncoderSpec, REMEDY)
    encoder = build_encoder(spec)
    load_whole(path, encoder, REMEDY)
    return encoder, spec


def read_spec(path: Path, kind: type[Spec], remedy: str) -> Spec:
    """The settings in the file at `path`. Raises WinnowError, ending in `remedy`, where it is missing or damaged."""
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WinnowError(f"{path} is missing: {remedy}.") from None
    except (ValueError, RecursionError) as error:
        problem = str(error).splitlines()[0][:120]
        raise WinnowError(f"{path} is damaged ({problem}): {remedy}.") from None
