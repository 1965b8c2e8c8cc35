"""`winnow photos FOLDER`: all settings that suit photos, written into params.yaml at once."""

import math
import sys
from pathlib import Path
from typing import Any

from components.core.config import block, read_params
from components.core.errors import WinnowError
from components.datasets.archive import is_archive, unpack
from components.datasets.sources._reserved import UNLABELED
from components.modalities.image import Image
from components.models.given_weights import FOLDER, OFFERED, USUAL, GivenWeights, read_origin
from pipelines.own_pictures import Given, place_for, settle
from pipelines.weights import PACKAGED, packaged_file

POLICIES: dict[str, dict[str, Any]] = {
    "weak": {"crop": [0.6, 1.0], "flip": 0.5},
    "view": {
        "crop": [0.2, 1.0],
        "flip": 0.5,
        "brightness": 0.4,
        "contrast": 0.4,
        "saturation": 0.4,
        "hue": 0.1,
        "grayscale": 0.2,
        "blur": 0.3,
    },
    "strong": {
        "crop": [0.4, 1.0],
        "flip": 0.5,
        "rotate": 20,
        "brightness": 0.4,
        "contrast": 0.4,
        "saturation": 0.4,
        "cutout": 0.3,
    },
}
FEW_EACH = 3  # labels for each class; up to these, first questions are there to find every class
HEAD = {
    "name": "linear_probe",
    "l2": "chosen",
    "balanced": True,
}  # on given weights: picked labels tell no class shares
PSEUDO, THRESHOLD = {"name": "label_propagation"}, 0.8
UNTRAINED = 64  # pixels, where a network learns from nothing: cost grows with the square
STEPS, BATCH, FEWEST = 2000, 256, 32  # of pretraining from nothing; pictures of a batch, at most and at least
Network = tuple[dict[tuple[str, str], Any], list[tuple[str, str]], int, dict[str, str]]
STEPPED = ("epochs", "batch_size", "learning_rate", "guard_epochs")  # of `finetune`, where only a head is solved


def choose_for_photos(source: str, *, budget: int, image_size: int | None) -> None:
    """Write them, and say each; then `winnow repro` runs.

    budget: labels that class folders may give. image_size: of stored squares, by default the weights' own.
    Raises WinnowError, and writes nothing, for a folder that cannot be read and for a value that cannot be.
    """
    place = place_for(source, Image)
    pictures = _count(Path(place))
    network = _given_network() or _own_network(pictures, before=block(read_params(), "finetune"))
    given, out, size, wanted = network
    asked: Given = {
        ("ingest", "source"): place,
        ("ingest", "modality"): {"name": "image", "image_size": image_size or size, "channels": 3, **wanted},
        ("augment", "policies"): POLICIES,
        ("label", "budget"): budget,
        ("label", "first"): first_for(budget, _class_folders(Path(place))),
        ("pseudo_label", "method"): PSEUDO,
        ("pseudo_label", "threshold"): THRESHOLD,
        **given,
    }
    settle(asked, out)
    print("Now `winnow repro`.")


def first_for(budget: int, classes: int) -> dict[str, Any]:
    """How the first labels are picked: medoids of smoothed vectors where they must find every class, else of vectors.

    classes: how many there are; below 2, nobody knows.
    """
    plain = {"name": "k_medoids"}
    return {**plain, "neighbors": 15, "rounds": 3} if classes < 2 or budget <= FEW_EACH * classes else plain


def _given_network() -> Network | None:
    """Settings for weights in data/weights, kept as they are; settings without use then; and of the pictures, their
    size and other settings."""
    for packaged in PACKAGED.values():
        path = FOLDER / packaged_file(packaged)
        if not path.is_file():
            continue
        origin = read_origin(GivenWeights.model_validate(str(path)), path)
        given: dict[tuple[str, str], Any] = {
            ("pretrain", "encoder"): packaged.encoder,
            ("pretrain", "weights"): {"from": "file", "path": str(path)},
            ("pretrain", "epochs"): 0,
            ("finetune", "method"): HEAD,
        }
        trained = ("batch_size", "learning_rate", "workers", "precision")
        out = [("pretrain", name) for name in trained] + [("finetune", name) for name in STEPPED]
        print(f"winnow: starts from {origin.said}.", file=sys.stderr)
        other = origin.interpolation in OFFERED and origin.interpolation != USUAL
        wanted = {"interpolation": origin.interpolation} if other else {}
        return given, out, origin.image_size or UNTRAINED, wanted
    names = ", ".join(PACKAGED)
    print(
        f"winnow: there are no weights in {FOLDER}, so a small network learns from your pictures alone, which "
        f"takes long and knows little: `make photos`, then `winnow weights add` one of {names}, then say this again.",
        file=sys.stderr,
    )
    return None


def _own_network(pictures: int, *, before: dict[str, Any]) -> Network:
    """Settings to pretrain from nothing: so many epochs as make `STEPS` steps, with batches that fit the number."""
    batch = max(FEWEST, min(BATCH, 2 ** int(math.log2(max(pictures // 8, 1)))))
    epochs = max(1, round(STEPS * batch / max(pictures, 1)))
    given: dict[tuple[str, str], Any] = {
        ("pretrain", "encoder"): {"name": "small_resnet"},
        ("pretrain", "epochs"): epochs,
        ("pretrain", "batch_size"): batch,
        ("finetune", "method"): {"name": "full"},
        ("finetune", "epochs"): max(10, int(before.get("epochs") or 0)),
        ("finetune", "batch_size"): min(batch, 64),
    }
    return given, [("pretrain", "weights")], UNTRAINED, {}


def _count(place: Path) -> int:
    """Pictures in a folder or an archive, about: by the endings of names."""
    found = len(_pictures(place))
    if not found:
        raise WinnowError(f"{place} holds no pictures: name the folder in which the photos are.")
    return found


def _class_folders(place: Path) -> int:
    """Names of folders that hold pictures, those of pictures without a class left out."""
    return len({path.parent.name for path in _pictures(place)} - {UNLABELED})


def _pictures(place: Path) -> list[Path]:
    folder = unpack(place) if is_archive(place) else place
    return [path for path in folder.rglob("*") if path.suffix.lower() in Image.suffixes]
