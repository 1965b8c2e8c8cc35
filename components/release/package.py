"""A classifier as the folder of a model version: weights, what they answer, and MLmodel; data alone, no program."""

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from components.core.mlmodel import description
from components.core.version_files import WEIGHTS
from components.models.classifier import Classifier
from components.release.registered import write_answers

Pixels = npt.NDArray[np.uint8]


def package(classifier: Classifier, weights: Path, pictures: Pixels, folder: Path) -> None:
    """Write `classifier`, saved at `weights`, into the new `folder`; `pictures` `(N, C, S, S)`: the example.

    The same model and pictures give the same bytes.
    """
    home = folder / WEIGHTS
    home.parent.mkdir(parents=True)
    for suffix in (".safetensors", ".json"):
        shutil.copyfile(weights.with_suffix(suffix), home.with_suffix(suffix))
    write_answers(classifier, np.ascontiguousarray(pictures.transpose(0, 2, 3, 1)), folder)
    spec = classifier.spec
    facts = description(spec.classes, spec.encoder.image_size, spec.encoder.channels)
    (folder / "MLmodel").write_text(yaml.safe_dump(facts, allow_unicode=True), encoding="utf-8")
