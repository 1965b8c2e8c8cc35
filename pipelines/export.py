"""`winnow export`: the encoder of a run as files for use elsewhere, with a card, and the data set's description."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core import journal
from components.core.config import block, did_you_mean, read_params
from components.core.errors import WinnowError
from components.core.files import read_json, write_text
from components.core.integrity import md5_of, recorded_stages
from components.core.terminal import short
from pipelines.settings import model_name

STAGES = ("pretrain", "finetune")
DATA, OWN = Path("data"), Path("data/weights")  # the stages' folders, and the one for weights that people bring
MODEL, METRICS = Path("data/finetune/model.safetensors"), Path("data/evaluate/metrics.json")
DESCRIBED = "croissant"  # the format that is of the data set


@dataclass(frozen=True)
class Stated:
    """What nobody here can know. license: of the weights, as hubs name it; the rest is of the data, for `croissant`."""

    license: str = ""
    data_license: str = ""
    data_creator: str = ""
    data_url: str = ""


def export_encoder(folder: Path, *, stage: str, formats: list[str], stated: Stated | None = None) -> None:
    """Write the stage's encoder into `folder` in each format, and a card, and print each file.

    Raises WinnowError for an unknown stage or format, for a folder that stages write or where another README.md is, and
    for what `croissant` needs to be told, before anything is written.
    """
    stated = stated or Stated()
    if folder.resolve().is_relative_to(DATA.resolve()) and not folder.resolve().is_relative_to(OWN.resolve()):
        raise WinnowError(f"{short(folder)} is in {DATA}/, which the stages write: name another folder, or {OWN}.")
    if stage not in STAGES:
        raise WinnowError(f"--from is '{stage}': {did_you_mean(stage, list(STAGES))}")
    of_data = (stated.data_license, stated.data_creator, stated.data_url)
    if any(of_data) and DESCRIBED not in formats:
        raise WinnowError(f"--data-license, --data-creator and --data-url are for --format {DESCRIBED}: name it too.")
    describe = None
    if DESCRIBED in formats:
        from pipelines.describe_data import describe_data, owner

        owned = owner(*of_data)
        describe = lambda: describe_data(folder, owned)  # noqa: E731
    networks = [name for name in dict.fromkeys(formats) if name != DESCRIBED]
    if networks:
        _export_networks(folder, stage, networks, stated.license)
    elif stated.license:
        raise WinnowError(f"--license is of the weights, and --format {DESCRIBED} alone has none: --data-license?")
    for path in describe() if describe else ():
        print(path)


def _export_networks(folder: Path, stage: str, formats: list[str], license_id: str) -> None:
    from components.models.classifier import load_classifier
    from components.models.encoder_file import load_encoder
    from components.models.encoders import Encoder
    from components.models.export import check_format, export
    from components.release.hub_card import FILE, Exported, check_place, hub_card

    if stage == "finetune":
        classifier = load_classifier(MODEL)
        encoder, spec = classifier.encoder, classifier.spec.encoder
        assert isinstance(encoder, Encoder)
    else:
        encoder, spec = load_encoder(Path("data/pretrain/encoder.safetensors"))
    check_place(folder)
    for name in formats:
        check_format(name, encoder, spec.inputs)
    made = {}
    for name in formats:
        path = export(encoder, spec, folder, name)
        made[name] = path.relative_to(folder)
        print(f"{path}  ({path.stat().st_size / 1e6:.1f} MB; {path.with_suffix('.json').name} says what it takes)")
    method = "" if spec.origin is not None else _method()
    dataset = (f"{model_name()} data", journal.dataset())
    figures = _figures() if stage == "finetune" else None
    card = hub_card(Exported(model_name(), stage, spec, method, made, license_id, figures, dataset))
    write_text(folder / FILE, card)
    print(f"{folder / FILE}  (a card, with what model hubs read)")


def _method() -> str:
    """Name of the one that pretrained."""
    chosen = block(read_params(), "pretrain").get("method")
    return str(chosen.get("name", "") if isinstance(chosen, dict) else chosen or "")


def _figures() -> dict[str, Any] | None:
    """Those of the evaluation, where that was of the model there is now; else None."""
    read = {one.get("path"): one.get("md5") for one in recorded_stages().get("evaluate", {}).get("deps", [])}
    if not METRICS.is_file() or read.get(MODEL.as_posix()) != md5_of(MODEL):
        return None
    return read_json(METRICS)
