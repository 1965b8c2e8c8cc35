"""From files to classes, with a registered model and the reading that ingest does."""

import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.core.model_versions import find
from components.core.terminal import one_line
from components.datasets.reading import file_bytes
from components.datasets.records import Record, Unreadable
from components.datasets.sample_store import padded
from components.modalities import Modality
from components.models.classifier import Classifier
from components.models.prediction_sets import PredictionSets, members
from components.models.seen import LEVEL, Seen
from components.release.registered import load_version
from components.training.inference import observe
from pipelines.settings import model_name

BATCH = 256  # samples in memory at a time
NAMED = 3  # files in a sentence
FOREIGN = f"unlike the training samples, as one in {round(1 / LEVEL)} of their own kind is"


@dataclass(frozen=True)
class Guess:
    """probabilities: `(K,)`, in the order of `classes`; sets: how prediction sets are made, None where they are not;
    foreign: whether the sample is unlike the training samples, None where that is not known."""

    file: Path
    classes: list[str]
    probabilities: npt.NDArray[np.float32]
    sets: PredictionSets | None
    foreign: bool | None = None

    def table_row(self, width: int) -> str:
        """File, class, probability and, in braces, the prediction set; `width` characters for the file."""
        best = int(self.probabilities.argmax())
        shown = [one_line(name) for name in self.classes]
        name = shown[best].ljust(max(len(other) for other in shown))
        inside = f"  {{{one_line(', '.join(self._set(self.sets)))}}}" if self.sets else ""
        unlike = "  unlike training" if self.foreign else ""
        return f"{one_line(self.file):<{width}}  {name}  {self.probabilities[best]:.4f}{inside}{unlike}"

    def json_line(self) -> str:
        """One JSON object: file, class, probability, all probabilities by class; prediction set and stated coverage."""
        best = int(self.probabilities.argmax())
        every = {name: round(float(p), 6) for name, p in zip(self.classes, self.probabilities, strict=True)}
        facts = {"file": str(self.file), "class": self.classes[best], "probability": every[self.classes[best]]}
        inside = {"set": self._set(self.sets), "coverage": self.sets.coverage} if self.sets else {}
        unlike = {} if self.foreign is None else {"foreign": self.foreign}
        return json.dumps({**facts, "probabilities": every, **inside, **unlike}, ensure_ascii=False)

    def _set(self, sets: PredictionSets) -> list[str]:
        """Classes in the prediction set, the likeliest first; one is an answer, several or none an abstention."""
        inside = members(self.probabilities[None], sets)[0]
        return [self.classes[k] for k in np.argsort(-self.probabilities, kind="stable").tolist() if inside[k]]


def predict_files(files: list[Path], *, version: str, as_json: bool) -> int:
    """Print one line per sample; files that are none are named on standard error. Returns the exit code."""
    chosen = find(model_name(), version)
    classifier = load_version(chosen)
    sets = classifier.spec.sets
    if sets and sets.highest is None:
        print(
            f"winnow: {sets.labels} held-out labels rule out no class at {sets.coverage:g} coverage.", file=sys.stderr
        )
    width = max(len(one_line(file)) for file in files)
    failed, odd = 0, dict[str, list[Path]]()
    for start in range(0, len(files), BATCH):
        chunk = files[start : start + BATCH]
        guesses = list(_guesses(classifier, chunk, odd))
        failed += len(chunk) - len(guesses)
        for guess in guesses:
            print(guess.json_line() if as_json else guess.table_row(width))
    for sentence in _oddities(classifier.spec.seen, odd):
        print(f"winnow: {sentence}", file=sys.stderr)
    return 1 if failed else 0


def _guesses(classifier: Classifier, files: list[Path], odd: dict[str, list[Path]]) -> Iterator[Guess]:
    """A guess for each file that is a sample; `odd`: gets the files that are unlike the training samples, by how."""
    spec, modality = classifier.spec, classifier.spec.encoder.inputs.kind
    readable, records = [], []
    for file in files:
        record = _read(file, modality)
        if record is not None:
            readable.append(file)
            records.append(record.values)
            for how in modality.unlike(record, spec.seen.facts) if spec.seen else []:
                odd.setdefault(how, []).append(file)
    if not records:
        return
    observed = observe(classifier, padded(records), features=True)
    assert observed.features is not None
    foreign = spec.seen.foreign(observed.features) if spec.seen else None
    for row, file in enumerate(readable):
        strange = None if foreign is None else bool(foreign[row])
        if strange:
            odd.setdefault(FOREIGN, []).append(file)
        yield Guess(file, spec.classes, observed.probabilities[row], spec.sets, strange)


def _oddities(seen: Seen | None, odd: dict[str, list[Path]]) -> Iterator[str]:
    if seen is None or not seen.vectors:
        yield "this version does not keep enough of its training samples to tell others from them."
    for how, files in odd.items():
        more = f" and {len(files) - NAMED:,} more" if len(files) > NAMED else ""
        yield f"{how}: {', '.join(one_line(file) for file in files[:NAMED])}{more}."


def _read(file: Path, modality: Modality) -> Record | None:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")  # odd metadata; what matters becomes Unreadable
            return modality.read(file_bytes(file, modality))
    except Unreadable as error:
        print(f"winnow: {one_line(file)}: {error}", file=sys.stderr)
    return None
