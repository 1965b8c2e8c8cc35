"""A classifier as an MLflow model: pt2 with a signature and an example, its safetensors weights beside it, checked."""

import json
import shutil
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.core.errors import WinnowError
from components.core.model_versions import WEIGHTS
from components.models.classifier import Classifier
from components.models.serving import ServingClassifier

REQUIRED = ("mlflow", "torch", "numpy")
Pixels = npt.NDArray[np.uint8]


def package(classifier: Classifier, weights: Path, pictures: Pixels, folder: Path) -> None:
    """Write `classifier`, saved at `weights`, as an MLflow model into `folder`; `pictures` `(N, C, S, S)`: the example.

    The batch may be of any size afterwards. Raises WinnowError unless the model, loaded back without pickle, gives the
    same probabilities for the pictures (two at least: an example of one would freeze the batch at one).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow about its own modules, on import and on the way
        _save(classifier, pictures, folder)
    home = folder / WEIGHTS
    home.parent.mkdir()
    for suffix in (".safetensors", ".json"):
        shutil.copyfile(weights.with_suffix(suffix), home.with_suffix(suffix))


def _save(classifier: Classifier, pictures: Pixels, folder: Path) -> None:
    import mlflow.pytorch
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    serving = ServingClassifier(classifier).cpu().eval()
    example = np.ascontiguousarray(pictures.transpose(0, 2, 3, 1))
    classes = classifier.spec.classes
    mlflow.pytorch.save_model(
        serving,
        str(folder),
        signature=ModelSignature(
            inputs=Schema([TensorSpec(np.dtype(np.uint8), (-1, *example.shape[1:]))]),
            outputs=Schema([TensorSpec(np.dtype(np.float32), (-1, len(classes)))]),
        ),
        input_example=example,
        pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in REQUIRED],
        metadata={"classes": json.dumps(classes), "output": "probability of each class, in the order of `classes`"},
        serialization_format="pt2",
    )
    _check_loads(serving, folder, example)


def _check_loads(serving: ServingClassifier, folder: Path, example: Pixels) -> None:
    import mlflow.pyfunc
    import torch

    with torch.inference_mode():
        expected = serving(torch.from_numpy(example)).numpy()
    loaded = mlflow.pyfunc.load_model(str(folder), model_config={"device": "cpu"})
    for count in (len(example), 1):
        if not np.allclose(loaded.predict(example[:count]), expected[:count], rtol=1e-5, atol=1e-6):
            raise WinnowError(
                "the packaged model does not give what the trained one gives: nothing was registered; "
                "try another pretrain.encoder, and report this encoder as a defect."
            )
