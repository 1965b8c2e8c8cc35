"""The classifier as a server offers it: pictures as a client has them in, class probabilities out."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from components.models.classifier import Classifier, load_classifier


class PictureModel:
    """What MLflow calls a Python function; `_load_pyfunc` makes one from the folder of weights that MLmodel names."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier.eval()

    def predict(self, pictures: npt.NDArray[np.uint8], params: Any = None) -> npt.NDArray[np.float32]:
        """`(N, S, S, C)` uint8, rows of pixels with the colors last -> `(N, K)` probabilities, rows sum to 1."""
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(pictures, dtype=np.uint8))
            answers: npt.NDArray[np.float32] = self.classifier(given.permute(0, 3, 1, 2)).numpy()
        return answers


def _load_pyfunc(path: str) -> PictureModel:
    return PictureModel(load_classifier(Path(path) / "model.safetensors"))
