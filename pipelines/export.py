"""`winnow export`: the encoder of a run as files for use elsewhere."""

from pathlib import Path

from components.core.config import did_you_mean
from components.core.errors import WinnowError
from components.core.terminal import short

STAGES = ("pretrain", "finetune")
DATA, OWN = Path("data"), Path("data/weights")  # the stages' folders, and the one for weights that people bring


def export_encoder(folder: Path, *, stage: str, formats: list[str]) -> None:
    """Write the stage's encoder into `folder` in each format, and print each file.

    Raises WinnowError for an unknown stage or format and for a folder that stages write, before anything is written.
    """
    if folder.resolve().is_relative_to(DATA.resolve()) and not folder.resolve().is_relative_to(OWN.resolve()):
        raise WinnowError(f"{short(folder)} is in {DATA}/, which the stages write: name another folder, or {OWN}.")
    if stage not in STAGES:
        raise WinnowError(f"--from is '{stage}': {did_you_mean(stage, list(STAGES))}")
    from components.models.classifier import load_classifier
    from components.models.encoder_file import load_encoder
    from components.models.encoders import Encoder
    from components.models.export import check_format, export

    if stage == "finetune":
        classifier = load_classifier(Path("data/finetune/model.safetensors"))
        encoder, spec = classifier.encoder, classifier.spec.encoder
        assert isinstance(encoder, Encoder)
    else:
        encoder, spec = load_encoder(Path("data/pretrain/encoder.safetensors"))
    for name in formats:
        check_format(name, encoder, spec.inputs)
    for name in dict.fromkeys(formats):
        path = export(encoder, spec, folder, name)
        print(f"{path}  ({path.stat().st_size / 1e6:.1f} MB; {path.with_suffix('.json').name} says what it takes)")
