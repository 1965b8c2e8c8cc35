"""A classifier as the folder of a model version: weights, what they answer, and MLmodel; data alone, no program."""

import shutil
from pathlib import Path
from typing import Any

import numpy.typing as npt
import yaml

from components.core.mlmodel import description
from components.core.version_files import WEIGHTS
from components.models.classifier import Classifier
from components.release.registered import write_answers

Array = npt.NDArray[Any]


def package(classifier: Classifier, weights: Path, records: Array, folder: Path) -> None:
    """Write `classifier`, saved at `weights`, into the new `folder`; `records` `(N, *shape)`: the example.

    The same model and records give the same bytes.
    """
    home = folder / WEIGHTS
    home.parent.mkdir(parents=True)
    for suffix in (".safetensors", ".json"):
        shutil.copyfile(weights.with_suffix(suffix), home.with_suffix(suffix))
    modality = classifier.spec.encoder.inputs.kind
    write_answers(classifier, modality.to_client(records), folder)
    served = modality.served()
    facts = description(classifier.spec.classes, served.dtype, served.shape)
    (folder / "MLmodel").write_text(yaml.safe_dump(facts, allow_unicode=True), encoding="utf-8")
