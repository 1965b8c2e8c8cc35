"""Weights that others trained: which file holds them, whose they are, and how samples were prepared for them.

What belongs to a file of weights stands in a `.json` beside it: what `winnow weights add` wrote, or an encoder's or a
classifier's of ours. The settings go before it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from components.core.config import Config, PluginChoice
from components.core.errors import WinnowError
from components.core.files import sha256

Channels = tuple[float, ...]
WHERE = "pretrain.weights"
FOLDER = Path("data/weights")
TOLD = {"mean", "std", "image_size", "interpolation", "sample_rate", "license"}  # what settings may say of weights
USUAL, OFFERED = "bicubic", ("bicubic", "bilinear")  # interpolations of ingest
MODELS = {"timm": "timm_model", "torchvision": "torchvision_model"}  # the encoder that is any network of a library


class Origin(Config):
    """What belongs to weights, as far as it is known; it travels in the encoder's file.

    name, source, license: whose they are; mean, std: by channel, of a scale of 0 to 1, or by band of clips, in
    decibels; image_size: pixels of a side; interpolation: how pictures got to that size; sample_rate: samples a second
    of clips; sha256: of the file.
    """

    name: str = ""
    source: str = ""
    license: str = ""
    mean: Channels = ()
    std: Channels = ()
    image_size: int | None = Field(default=None, ge=1)
    interpolation: str = ""
    sample_rate: int | None = Field(default=None, ge=1, exclude_if=lambda rate: rate is None)  # files stay as they were
    sha256: str = ""

    @property
    def said(self) -> str:
        """In one line, for people."""
        size = f", {self.image_size} pixels" if self.image_size else ""
        scale = f"mean {_listed(self.mean)} and deviation {_listed(self.std)}" if self.mean else "normalization unknown"
        if self.sample_rate:
            of_bands = f"{len(self.std)} bands by their deviations" if self.std else "each clip normalized by itself"
            scale = f"{self.sample_rate:,} samples a second, {of_bands}"
        whose = f" by {self.source}" if self.source else ""
        return f"{self.name}{whose}, license {self.license or 'not stated'}, {scale}{size}"


class GivenWeights(Config):
    """The setting `pretrain.weights`; a path alone is short for `{from: file, path: ...}`.

    from: `file`, at `path`; `timm` or `torchvision`, their weights for the network in pretrain.encoder, which lie in
    data/weights; tag: torchvision's name of them, empty for its best. download: whether a run may fetch them where they
    are not there. mean, std, image_size, interpolation, sample_rate, license: what the file does not say of itself, or
    says wrongly.
    """

    origin: Literal["file", "timm", "torchvision"] = Field(default="file", alias="from")
    path: Path | None = None
    tag: str | None = None
    download: bool = False
    mean: Channels | None = None
    std: Channels | None = None
    image_size: int | None = Field(default=None, ge=1)
    interpolation: Literal["bicubic", "bilinear", "nearest"] | None = None
    sample_rate: int | None = Field(default=None, ge=1)
    license: str | None = None

    model_config = Config.model_config | {"serialize_by_alias": True}

    @model_validator(mode="before")
    @classmethod
    def _path_alone(cls, values: Any) -> Any:
        return {"from": "file", "path": values} if isinstance(values, str | Path) else values

    @model_validator(mode="after")
    def _whole(self) -> "GivenWeights":
        if self.origin == "file" and self.path is None:
            raise ValueError("a file's path beside `from: file`")
        if (self.mean is None) != (self.std is None):
            raise ValueError("both mean and std, or neither")
        return self

    def unused(self) -> dict[str, str]:
        """As the base says."""
        if self.origin == "file":
            return dict.fromkeys(("tag", "download"), "pretrain.weights.from is file")
        tag = (
            {"tag": "pretrain.weights.from is timm, whose models are named model.tag"} if self.origin == "timm" else {}
        )
        return {"path": f"pretrain.weights.from is {self.origin}"} | tag


def weights_file(given: GivenWeights, encoder: PluginChoice, folder: Path = FOLDER) -> Path:
    """The file itself; folder: data/weights, where those of a library lie.

    Raises WinnowError where the encoder is no network of that library.
    """
    if given.origin == "file":
        assert given.path is not None
        return given.path
    if encoder.name != MODELS[given.origin]:
        raise WinnowError(
            f"{WHERE}.from is {given.origin}, and pretrain.encoder '{encoder.name}' is no network of it: choose "
            f"{{name: {MODELS[given.origin]}, model: ...}}."
        )
    return folder / f"{library_name(given.origin, str(encoder.options.get('model', '')), given.tag)}.safetensors"


def library_name(library: str, model: str, tag: str | None) -> str:
    """What a library's weights are called in data/weights, without the ending."""
    return f"{library}-{model}{f'.{tag}' if tag else ''}"


def read_origin(given: GivenWeights, path: Path) -> Origin:
    """What is known of the weights at `path`: by the settings, else by the `.json` beside the file.

    Raises WinnowError for a `.json` that is none of ours, and for weights that are no more those that it tells of.
    """
    known = _beside(path.with_suffix(".json"))
    digest = sha256(path)
    if known.sha256 not in ("", digest):
        raise WinnowError(
            f"{WHERE} {path.name} is not the file that {path.with_suffix('.json').name} tells of (its sha256 differs): "
            "bring both anew, or remove the .json."
        )
    own = given.model_dump(include=TOLD, exclude_none=True)
    return known.model_copy(update={"name": known.name or path.stem, **own, "sha256": digest})


def as_wanted(origin: Origin, measured: dict[str, Any]) -> dict[str, Any]:
    """Statistics of samples as the weights want them; as they were `measured` where nothing is known, for clips of
    other bands, and for samples that are not normalized.

    For another number of channels all get the mean of the weights' channels.
    """
    if not origin.std or not {"mean", "std"} <= measured.keys():
        return measured
    scale = {"mean": origin.mean, "std": origin.std}
    if any(len(measured[name]) != len(values) for name, values in scale.items()):
        if origin.sample_rate or not origin.mean:
            return measured
        scale = {name: (sum(values) / len(values),) * len(measured["mean"]) for name, values in scale.items()}
    return {**measured, **{name: list(values) for name, values in scale.items()}}


def made_otherwise(origin: Origin, modality: Mapping[str, Any]) -> list[str]:
    """What of samples is not as these weights were made with, a sentence each. modality: the samples' settings."""
    if "image_size" in modality:
        return _pictures_otherwise(origin, modality)
    return _clips_otherwise(origin, modality) if "sample_rate" in modality else []


def _pictures_otherwise(origin: Origin, modality: Mapping[str, Any]) -> list[str]:
    said = []
    if origin.image_size and (size := modality["image_size"]) != origin.image_size:
        said.append(
            f"pictures are stored at {size} pixels, and these weights were made with {origin.image_size}: "
            "ingest.modality.image_size is where to try that."
        )
    own, theirs = modality.get("interpolation", USUAL), origin.interpolation
    if theirs and own != theirs:
        cure = "ingest.modality.interpolation is where to set that" if theirs in OFFERED else "ingest has no such"
        said.append(f"pictures were resized {own}, and these weights were made with {theirs}: {cure}.")
    return said


def _clips_otherwise(origin: Origin, modality: Mapping[str, Any]) -> list[str]:
    said, rate = [], modality["sample_rate"]
    if origin.sample_rate and rate != origin.sample_rate:
        said.append(
            f"clips are stored at {rate:,} samples a second, and these weights were made with {origin.sample_rate:,}: "
            "ingest.modality.sample_rate is where to set that."
        )
    if not origin.std or modality.get("views") != "log_mel":
        return said
    own = (modality.get("bands"), modality.get("mean"))
    theirs = (len(origin.std), "training" if origin.mean else "clip")
    if own != theirs:
        said.append(
            f"clips are seen in {own[0]} bands less the mean of the {own[1]}, and these weights were made with "
            f"{theirs[0]} less that of the {theirs[1]}, so that their normalization is not taken: "
            "ingest.modality.bands and mean are where to set that."
        )
    return said


def _beside(path: Path) -> Origin:
    if not path.is_file():
        return Origin()
    try:
        facts: Any = json.loads(path.read_text(encoding="utf-8"))
        return Origin.model_validate(_of_ours(facts) if isinstance(facts, dict) else facts)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise WinnowError(
            f"{path}, beside the file in {WHERE}, says nothing that is understood of these weights: correct it, or "
            "move it away."
        ) from None


def _of_ours(facts: dict[str, Any]) -> dict[str, Any]:
    """Of an encoder's or a classifier's file, what it says of its samples; other facts as they are."""
    encoder = facts.get("encoder", facts)
    if "inputs" not in encoder:
        return facts
    before, inputs = encoder.get("origin") or {}, encoder["inputs"]
    scale = {name: inputs["statistics"][name] for name in ("mean", "std") if name in inputs["statistics"]}
    return {
        "name": before.get("name") or encoder["name"],
        "source": before.get("source") or "another project",
        "license": before.get("license", ""),
        **scale,
        "image_size": inputs["modality"].get("image_size"),
        "interpolation": before.get("interpolation", ""),
        "sample_rate": inputs["modality"].get("sample_rate"),
    }


def _listed(numbers: Channels) -> str:
    return " ".join(f"{number:.3g}" for number in numbers)
