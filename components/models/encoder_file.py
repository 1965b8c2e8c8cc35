"""The encoder on disk: its weights in one file, and beside it what rebuilds it and how its views are made."""

import json
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from torch import nn

from components.core.config import Config, PluginChoice
from components.core.errors import WinnowError
from components.core.files import replacing, write_text
from components.core.plugins import build
from components.modalities import Input, Modality, Plain, build_modality
from components.models.adapters import add_adapters
from components.models.additions import Additions
from components.models.encoder_size import outlined
from components.models.encoders import Encoder
from components.models.given_weights import Origin
from components.models.odds import add_odds
from components.models.prompts import add_border, add_tokens
from components.models.sound_tensors import load_whole

Spec = TypeVar("Spec", bound=Config)
_PICTURES = {"channels", "image_size", "mean", "std"}
REMEDY = "run `dvc repro pretrain` to make it, or restore it and its .json with `dvc checkout`"


class Inputs(Config):
    """What an encoder is given: the kind of data with its settings, and the statistics its views are made by."""

    modality: PluginChoice
    statistics: dict[str, Any]

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        build_modality(self.modality).check(self.statistics)
        return self

    @property
    def kind(self) -> Modality:
        """The kind of data itself."""
        return build_modality(self.modality)

    @property
    def given(self) -> Input:
        """What the encoder's constructor is told."""
        return self.kind.input(self.statistics)

    @property
    def plain(self) -> Plain:
        """From records to what the encoder sees."""
        return self.kind.plain(self.statistics)


class EncoderSpec(Config):
    """What rebuilds an encoder but its weights.

    name, options: the plug-in; inputs: of what data; dim: of its vectors as pretraining left them; additions: what
    it got after that; origin: of weights given to it.
    """

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    inputs: Inputs
    dim: int = Field(ge=1)
    additions: Additions = Additions()
    origin: Origin | None = None

    @property
    def width(self) -> int:
        """Numbers of a vector with what was added to it."""
        return self.dim + self.additions.odds

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without an origin where there is none: nobody gave weights."""
        facts: dict[str, Any] = write(self)
        return facts if self.origin else {name: value for name, value in facts.items() if name != "origin"}

    @model_validator(mode="before")
    @classmethod
    def _of_pictures_alone(cls, values: Any) -> Any:
        """Files from before there were other kinds of data say what pictures they are of, one by one."""
        if not isinstance(values, dict) or "inputs" in values or not values.keys() >= _PICTURES:
            return values
        own = dict(values)
        span = own.pop("span", "full")
        modality = {"name": "image", "fit": own.pop("fit", "crop"), "range": "file" if span is None else span}
        modality |= {name: own.pop(name) for name in ("image_size", "channels")}
        statistics = {name: own.pop(name) for name in ("mean", "std")}
        return {**own, "inputs": {"modality": modality, "statistics": statistics}}


def build_encoder(spec: EncoderSpec, *, where: str = "pretrain.encoder") -> Encoder:
    """A new encoder with the weights it is initialized with. Raises WinnowError for wrong options or another `dim`."""
    choice = PluginChoice.model_validate({"name": spec.name, **spec.options})
    given = spec.inputs.given
    outlined(choice, given, where=where)
    encoder: Encoder = build("encoder", choice, given, where=where, kind=given.kind)
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
    if spec.additions.odds:
        add_odds(encoder, spec.additions.odds)
    return encoder


def save_encoder(path: Path, encoder: Encoder, spec: EncoderSpec) -> None:
    """Write the weights to `path` (safetensors) and the spec to the `.json` beside it."""
    save_weights(path, encoder, spec)


def save_weights(path: Path, network: nn.Module, spec: Config) -> None:
    """The network's weights at `path`, and beside them in JSON what rebuilds it."""
    from safetensors.torch import save

    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
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
