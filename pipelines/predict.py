"""From picture files to classes, with a registered model and the decoder that ingest uses."""

import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.core.model_versions import fetch, find
from components.core.terminal import one_line
from components.modalities.image.decode import Pixels, Unreadable, decode
from components.models.classifier import Classifier, load_classifier
from components.models.prediction_sets import PredictionSets, members
from components.training.inference import predict
from pipelines.settings import model_name

BATCH = 256  # pictures in memory at a time


@dataclass(frozen=True)
class Guess:
    """probabilities: `(K,)`, in the order of `classes`; sets: how prediction sets are made, None where they are not."""

    file: Path
    classes: list[str]
    probabilities: npt.NDArray[np.float32]
    sets: PredictionSets | None

    def table_row(self, width: int) -> str:
        """File, class, probability and, in braces, the prediction set; `width` characters for the file."""
        best = int(self.probabilities.argmax())
        shown = [one_line(name) for name in self.classes]
        name = shown[best].ljust(max(len(other) for other in shown))
        inside = f"  {{{one_line(', '.join(self._set(self.sets)))}}}" if self.sets else ""
        return f"{one_line(self.file):<{width}}  {name}  {self.probabilities[best]:.4f}{inside}"

    def json_line(self) -> str:
        """One JSON object: file, class, probability, all probabilities by class; prediction set and stated coverage."""
        best = int(self.probabilities.argmax())
        every = {name: round(float(p), 6) for name, p in zip(self.classes, self.probabilities, strict=True)}
        facts = {"file": str(self.file), "class": self.classes[best], "probability": every[self.classes[best]]}
        inside = {"set": self._set(self.sets), "coverage": self.sets.coverage} if self.sets else {}
        return json.dumps({**facts, "probabilities": every, **inside}, ensure_ascii=False)

    def _set(self, sets: PredictionSets) -> list[str]:
        """Classes in the prediction set, the likeliest first; one is an answer, several or none an abstention."""
        inside = members(self.probabilities[None], sets)[0]
        return [self.classes[k] for k in np.argsort(-self.probabilities, kind="stable").tolist() if inside[k]]


def predict_files(files: list[Path], *, version: str, as_json: bool) -> int:
    """Print one line per picture; files that are none are named on standard error. Returns the exit code."""
    chosen = find(model_name(), int(version) if version.isdigit() else version)
    classifier = load_classifier(fetch(chosen))
    sets = classifier.spec.sets
    if sets and sets.highest is None:
        print(
            f"winnow: {sets.labels} held-out labels rule out no class at {sets.coverage:g} coverage.", file=sys.stderr
        )
    width = max(len(one_line(file)) for file in files)
    failed = 0
    for start in range(0, len(files), BATCH):
        chunk = files[start : start + BATCH]
        guesses = list(_guesses(classifier, chunk))
        failed += len(chunk) - len(guesses)
        for guess in guesses:
            print(guess.json_line() if as_json else guess.table_row(width))
    return 1 if failed else 0


def _guesses(classifier: Classifier, files: list[Path]) -> Iterator[Guess]:
    readable, pictures = [], []
    for file in files:
        pixels = _read(file, classifier)
        if pixels is not None:
            readable.append(file)
            pictures.append(pixels)
    if pictures:
        for file, probabilities in zip(readable, predict(classifier, np.stack(pictures)), strict=True):
            yield Guess(file, classifier.spec.classes, probabilities, classifier.spec.sets)


def _read(file: Path, classifier: Classifier) -> Pixels | None:
    spec = classifier.spec.encoder
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")  # odd metadata; what matters becomes Unreadable
            return decode(file.read_bytes(), image_size=spec.image_size, channels=spec.channels).pixels
    except OSError as error:
        print(f"winnow: {one_line(file)}: {error.strerror}.", file=sys.stderr)
    except Unreadable as error:
        print(f"winnow: {one_line(file)}: {error}", file=sys.stderr)
    return None
