"""Encoders by name, for `winnow compare encoders`: the project's own, and weights as `pretrain.weights` takes them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.config import PluginChoice, hint
from components.core.errors import WinnowError
from components.core.stage_settings import stage_settings
from components.models.encoder_size import outlined
from components.models.given_weights import FOLDER, MODELS, GivenWeights, Origin, read_origin, weights_file
from components.models.start_weights import read_start
from components.training.pretraining import Job
from pipelines.compare import job_for
from pipelines.weights import PACKAGED, packaged_file

OWN, CONTINUED = "project", "continued:"
ENCODER = Path("data/pretrain/encoder.safetensors")
FORMS = f"{OWN}, file:PATH, timm:MODEL, torchvision:MODEL, {', '.join(PACKAGED)}, or {CONTINUED} before one of these"


@dataclass(frozen=True)
class Candidate:
    """One encoder: how it is made, by the pretraining job that starts from it; continued: that job is to be done."""

    name: str
    job: Job
    continued: bool


def candidate(name: str, params: dict[str, Any]) -> Candidate:
    """What the name stands for, not built yet. Raises WinnowError for a name of no form and weights not there."""
    plain = name.removeprefix(CONTINUED)
    encoder, weights, origin = _own() if plain == OWN else _given(plain, params)
    job = job_for(stage_settings("pretrain", params).method.name, params)
    job = job.model_copy(update={"encoder": encoder, "weights": weights, "origin": origin})
    return Candidate(name, job, continued=plain != name)


def check(one: Candidate) -> None:
    """Raise WinnowError for a network that cannot be on these samples, and weights that do not fit it."""
    assert one.job.weights is not None
    given = one.job.corpus().views.input
    try:
        read_start(one.job.weights, outlined(one.job.encoder, given, where="pretrain.encoder"))
    except WinnowError as error:
        raise WinnowError(f"'{one.name}': {error}") from None


def _own() -> tuple[PluginChoice, Path, Origin]:
    """The project's trained encoder; what it is normalized by is what its file says."""
    if not ENCODER.is_file():
        raise WinnowError(f"{ENCODER} is not there, so '{OWN}' names no encoder: run `dvc repro pretrain` first.")
    found = _of_ours(ENCODER)
    assert found is not None
    return found, ENCODER, _origin(ENCODER)


def _given(name: str, params: dict[str, Any]) -> tuple[PluginChoice, Path, Origin]:
    kind, _, rest = name.partition(":")
    if name in PACKAGED:
        encoder, path = PluginChoice.model_validate(PACKAGED[name].encoder), FOLDER / packaged_file(PACKAGED[name])
        add = f"winnow weights add {name}"
    elif kind in MODELS and rest:
        model, _, tag = rest.partition(".") if kind == "torchvision" else (rest, "", "")
        encoder = PluginChoice.model_validate({"name": MODELS[kind], "model": model})
        path = weights_file(GivenWeights.model_validate({"from": kind, "tag": tag or None}), encoder)
        add = f"winnow weights add {name} --download"
    elif kind == "file" and rest:
        path, add = Path(rest), ""
        encoder = _of_file(path, params)
    else:
        raise WinnowError(f"unknown encoder '{name}': {hint(name, [OWN, *PACKAGED])}choose {FORMS}.")
    if not path.is_file():
        raise WinnowError(f"'{name}': {path} is not there: {f'say `{add}`' if add else 'correct the path'}.")
    return _set_as(encoder, params), path, _origin(path)


def _of_file(path: Path, params: dict[str, Any]) -> PluginChoice:
    """The network that the `.json` beside a file of ours names, a known package's, else that of `pretrain.encoder`."""
    if (found := _of_ours(path)) is not None:
        return found
    known = [one for one in PACKAGED.values() if packaged_file(one) == path.name]
    return PluginChoice.model_validate(known[0].encoder) if known else stage_settings("pretrain", params).encoder


def _of_ours(path: Path) -> PluginChoice | None:
    """The network that the `.json` beside an encoder or a classifier of ours names; None beside other files."""
    beside = path.with_suffix(".json")
    try:
        facts: Any = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
        facts = facts.get("encoder", facts)
        return PluginChoice.model_validate({"name": facts["name"], **facts["options"]}) if "options" in facts else None
    except (ValueError, AttributeError, KeyError, TypeError):
        raise WinnowError(f"{beside} is damaged: restore it, or name another file.") from None


def _set_as(encoder: PluginChoice, params: dict[str, Any]) -> PluginChoice:
    """With the options of `pretrain.encoder`, such as `vectors`, where it is that network."""
    own: PluginChoice = stage_settings("pretrain", params).encoder
    same = own.name == encoder.name and own.options.get("model") == encoder.options.get("model")
    return own if same else encoder


def _origin(path: Path) -> Origin:
    return read_origin(GivenWeights.model_validate(str(path)), path)
