"""The classifier as a server offers it: samples as a client has them in, class probabilities out."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from components.models.classifier import Classifier, load_classifier


class ServedModel:
    """What MLflow calls a Python function; `_load_pyfunc` makes one from the folder of weights that MLmodel names."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier, self.modality = classifier.eval(), classifier.spec.encoder.inputs.kind

    def predict(self, given: npt.NDArray[Any], params: Any = None) -> npt.NDArray[np.float32]:
        """Samples as `Modality.served` says -> `(N, K)` probabilities, rows sum to 1."""
        with torch.inference_mode():
            answers: npt.NDArray[np.float32] = self.classifier(
                torch.from_numpy(self.modality.from_client(given))
            ).numpy()
        return answers


def _load_pyfunc(path: str) -> ServedModel:
    return ServedModel(load_classifier(Path(path) / "model.safetensors"))
