"""The classifier that ships: an encoder and a head in one file of weights and one of settings beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer
from torch import Tensor, nn

from components.core.config import Config
from components.models.encoder_file import EncoderSpec, build_encoder, read_spec, save_weights
from components.models.odds import beside
from components.models.prediction_sets import PredictionSets
from components.models.seen import Seen
from components.models.sound_tensors import load_whole

REMEDY = "run `dvc repro finetune` to make it, or restore it and its .json with `dvc checkout`"


class ClassifierSpec(Config):
    """What rebuilds a classifier but its weights: `encoder`, class names in order, temperature, adaptation method.

    sets: what makes prediction sets of its probabilities, None where no coverage is stated; dropout: share of
    the head's inputs that training left out; for draws only, a prediction leaves none out; seen: what the training
    samples were like, None in files of versions that did not keep it; embedded: sha256 of the vectors of `embed` where
    the encoder is the one that made them, as it is where nothing but the head was trained, or odds of words.
    """

    encoder: EncoderSpec
    classes: list[str] = Field(min_length=1)
    temperature: float = Field(default=1.0, ge=1e-3, le=1e3)
    method: str
    sets: PredictionSets | None = None
    dropout: float = Field(default=0.0, ge=0, lt=1)
    seen: Seen | None = None
    embedded: str = ""

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `embedded` where the encoder is not the one that `embed` used."""
        facts: dict[str, Any] = write(self)
        return facts if self.embedded else {name: value for name, value in facts.items() if name != "embedded"}

    @field_validator("classes")
    @classmethod
    def _distinct(cls, classes: list[str]) -> list[str]:
        if len(set(classes)) < len(classes) or not all(name.strip() for name in classes):
            raise ValueError("classes must have a name each, and no two the same")
        return classes


class Classifier(nn.Module):
    """Records in, class probabilities out; how they are looked at, and the temperature, are inside."""

    def __init__(self, encoder: nn.Module, head: nn.Module, spec: ClassifierSpec) -> None:
        super().__init__()
        self.encoder, self.head, self.spec = encoder, head, spec
        self.plain = spec.encoder.inputs.plain

    def features(self, records: Tensor) -> Tensor:
        """Records `(N, *shape)` -> `(N, F)`, what the head sees."""
        vectors: Tensor = self.encoder(self.plain(records))
        return vectors

    def features_of(self, vectors: Tensor, records: Callable[[], Tensor]) -> Tensor:
        """The same of what `embed` made of the records, `(N, D)`, where `spec.embedded` says that it is the same."""
        return beside(self.encoder, vectors, lambda: self.plain(records()))

    def probabilities(self, features: Tensor) -> Tensor:
        """`(N, F)` -> `(N, K)` probabilities, softmax(logits / temperature) (Guo et al. 2017)."""
        return torch.softmax(self.head(features) / self.spec.temperature, dim=1)

    def forward(self, records: Tensor) -> Tensor:
        """Records `(N, *shape)` -> `(N, K)` probabilities."""
        return self.probabilities(self.features(records))


def save_classifier(path: Path, classifier: Classifier) -> None:
    """Write the weights to `path` (safetensors) and the spec to the `.json` beside it."""
    save_weights(path, classifier, classifier.spec)


def load_classifier(path: Path) -> Classifier:
    """The classifier saved at `path`, on the CPU, in evaluation mode.

    Raises WinnowError when a file is missing or damaged, or when weights and settings are not of one piece.
    """
    spec = read_spec(path.with_suffix(".json"), ClassifierSpec, REMEDY)
    encoder = build_encoder(spec.encoder)
    classifier = Classifier(encoder, nn.Linear(spec.encoder.width, len(spec.classes)), spec)
    load_whole(path, classifier, REMEDY)
    return classifier.eval()
