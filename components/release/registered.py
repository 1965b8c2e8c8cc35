"""A registered version as a classifier: only one whose files are whole and which answers as it did when registered."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.core.errors import Unavailable, WinnowError
from components.core.mlmodel import EXAMPLE, description, says
from components.core.model_versions import Version
from components.core.version_files import ANSWERS, fetch
from components.datasets.sample_store import ANY
from components.modalities import Served
from components.models.classifier import Classifier, load_classifier
from components.models.serving import ServedModel

Array = npt.NDArray[Any]
ROUNDING = 1e-4  # between machines, numbers of threads and versions of torch


def load_version(version: Version, *, fresh: bool = False) -> Classifier:
    """The version's classifier, proven; `fresh`: by what the registry holds now, not by the copy on this machine.

    Raises WinnowError as `fetch` does, and where it cannot be loaded or answers otherwise than was recorded.
    """
    weights = fetch(version, fresh=fresh)
    where = f"version {version.number} of {version.name}"
    try:
        classifier = load_classifier(weights)
        _check_answers(classifier, weights.parents[1])
    except WinnowError as error:
        reason = str(error).rstrip(".").split(": ", 1)[0]
        raise WinnowError(
            f"{where} cannot serve ({reason}): `winnow promote` another version, or train and register the model anew "
            "with `winnow repro`."
        ) from None
    return classifier


def prove(version: Version) -> None:
    """Raise WinnowError unless the registry holds the version whole and it answers as recorded."""
    load_version(version, fresh=True)


def lasting_fault(version: Version, *, fresh: bool = False) -> str:
    """Why `load_version` refuses it, as a sentence; empty where it does not. A server that is away is no such fault."""
    try:
        load_version(version, fresh=fresh)
    except Unavailable:
        raise
    except WinnowError as error:
        return str(error)
    return ""


def write_answers(classifier: Classifier, given: Array, folder: Path) -> None:
    """Record in `folder` what the classifier says to samples, as a client sends and receives them."""
    answers = ServedModel(classifier).predict(given)
    (folder / EXAMPLE).write_text(json.dumps({"inputs": given.tolist()}) + "\n", encoding="utf-8")
    (folder / ANSWERS).write_text(json.dumps({"predictions": answers.tolist()}) + "\n", encoding="utf-8")


def _check_answers(classifier: Classifier, home: Path) -> None:
    """Of versions from before answers were recorded: that it answers at all."""
    served = classifier.spec.encoder.inputs.kind.served()
    recorded = None
    given: Array = np.zeros((2, *(max(side, 1) for side in served.shape)), served.dtype)
    if (home / ANSWERS).is_file():
        if not says(home / "MLmodel", description(classifier.spec.classes, served.dtype, served.shape)):
            raise WinnowError("its MLmodel is of another model")
        given = _array(home / EXAMPLE, "inputs", "str" if served.dtype == "str" else "float64").astype(served.dtype)
        recorded = _array(home / ANSWERS, "predictions")
        if not _fits(given, served) or recorded.shape != (len(given), len(classifier.spec.classes)):
            raise WinnowError("its example is of another model")
    answers = ServedModel(classifier).predict(given)
    if not np.isfinite(answers).all():
        raise WinnowError("its answers are no numbers")
    if recorded is not None and not np.allclose(answers, recorded, rtol=0, atol=ROUNDING):
        raise WinnowError("it does not answer as it did when it was registered")


def _fits(given: Array, served: Served) -> bool:
    sides = given.shape[1:]
    pairs = zip(served.shape, sides, strict=False)
    return len(sides) == len(served.shape) and all(wanted in (ANY, side) for wanted, side in pairs)


def _array(path: Path, key: str, dtype: str = "float64") -> Array:
    try:
        return np.asarray(json.loads(path.read_text(encoding="utf-8"))[key], dtype=dtype)
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        raise WinnowError(f"its {path.name} is damaged") from None
