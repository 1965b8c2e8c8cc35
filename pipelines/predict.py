"""From files, or what is typed, to classes, with a registered model and the reading that ingest does."""

import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.core.errors import WinnowError
from components.core.model_versions import find
from components.core.terminal import one_line, short
from components.datasets.reading import file_bytes
from components.datasets.records import Record, Unreadable
from components.datasets.sample_store import padded
from components.modalities import Array, Modality
from components.modalities.worded import Worded
from components.models.classifier import Classifier
from components.models.prediction_sets import PredictionSets, members
from components.models.seen import LEVEL, Seen
from components.release.registered import load_version
from components.training.inference import observe
from components.training.occlusion import decisive_parts
from pipelines.settings import model_name

BATCH = 256  # samples in memory at a time
NAMED = 3  # files in a sentence
TYPED = Path("-")  # stands for the lines of standard input
Asked = Path | str  # a file, or a sample that was typed
FOREIGN = f"unlike the training samples, as one in {round(1 / LEVEL)} of their own kind is"


@dataclass(frozen=True)
class Guess:
    """file: or the text that was typed; probabilities: `(K,)`, in the order of `classes`; sets: how prediction sets are
    made, None where they are not; foreign: whether the sample is unlike the training samples, None where not known;
    why: words that decided, and the share of the odds that is lost without each; None where nobody asked."""

    file: Asked
    classes: list[str]
    probabilities: npt.NDArray[np.float32]
    sets: PredictionSets | None
    foreign: bool | None = None
    why: list[tuple[str, float]] | None = None

    def table_row(self, width: int) -> str:
        """File, class, probability and, in braces, the prediction set; `width` characters for the file."""
        best = int(self.probabilities.argmax())
        shown = [one_line(name) for name in self.classes]
        name = shown[best].ljust(max(len(other) for other in shown))
        inside = f"  {{{one_line(', '.join(self._set(self.sets)))}}}" if self.sets else ""
        unlike = "  unlike training" if self.foreign else ""
        told = ", ".join(f"{short(word)} −{fall:.0%}" for word, fall in self.why or [])
        why = f"\n    odds without: {told}" if told else ""
        return f"{_shown(self.file):<{width}}  {name}  {self.probabilities[best]:.4f}{inside}{unlike}{why}"

    def json_line(self) -> str:
        """One JSON object: file, class, probability, all probabilities by class; prediction set and stated coverage."""
        best = int(self.probabilities.argmax())
        every = {name: round(float(p), 6) for name, p in zip(self.classes, self.probabilities, strict=True)}
        what = "text" if isinstance(self.file, str) else "file"
        facts = {what: str(self.file), "class": self.classes[best], "probability": every[self.classes[best]]}
        inside = {"set": self._set(self.sets), "coverage": self.sets.coverage} if self.sets else {}
        unlike = {} if self.foreign is None else {"foreign": self.foreign}
        why = {} if self.why is None else {"why": [{"part": word, "odds_lost": fall} for word, fall in self.why]}
        return json.dumps({**facts, "probabilities": every, **inside, **unlike, **why}, ensure_ascii=False)

    def _set(self, sets: PredictionSets) -> list[str]:
        """Classes in the prediction set, the likeliest first; one is an answer, several or none an abstention."""
        inside = members(self.probabilities[None], sets)[0]
        return [self.classes[k] for k in np.argsort(-self.probabilities, kind="stable").tolist() if inside[k]]


def predict_files(
    files: list[Path], *, version: str, as_json: bool, texts: Sequence[str] = (), why: bool = False
) -> int:
    """Print one line per sample; files that are none are named on standard error. Returns the exit code.

    texts: samples that were typed; `-` among the files: the lines of standard input are, too; why: also say which parts
    decided. Raises WinnowError where samples of the version's kind cannot be typed or have no parts, and where there
    are none.
    """
    chosen = find(model_name(), version)
    classifier = load_version(chosen)
    asked = _asked(files, texts, classifier.spec.encoder.inputs.kind)
    if why and not isinstance(classifier.spec.encoder.inputs.kind, Worded):
        nouns = classifier.spec.encoder.inputs.kind.noun[1]
        raise WinnowError(f"this version knows {nouns}, which have no words that could decide: leave out --why.")
    sets = classifier.spec.sets
    if sets and sets.highest is None:
        print(
            f"winnow: {sets.labels} held-out labels rule out no class at {sets.coverage:g} coverage.", file=sys.stderr
        )
    width = max(len(_shown(one)) for one in asked)
    failed, odd = 0, dict[str, list[Asked]]()
    for start in range(0, len(asked), BATCH):
        chunk = asked[start : start + BATCH]
        guesses = list(_guesses(classifier, chunk, odd, why=why))
        failed += len(chunk) - len(guesses)
        for guess in guesses:
            print(guess.json_line() if as_json else guess.table_row(width))
    for sentence in _oddities(classifier.spec.seen, odd):
        print(f"winnow: {sentence}", file=sys.stderr)
    return 1 if failed else 0


def _asked(files: list[Path], texts: Sequence[str], kind: Modality) -> list[Asked]:
    lines: list[str] = _typed_lines() if TYPED in files else []
    if (texts or TYPED in files) and not kind.typed:
        raise WinnowError(
            f"this version knows {kind.noun[1]}, which cannot be typed: name files in place of --text or -."
        )
    asked: list[Asked] = [*(file for file in files if file != TYPED), *texts, *(line for line in lines if line.strip())]
    for text in (*texts, *lines):
        if any("\ud800" <= one <= "\udfff" for one in text):  # what Python makes of bytes that are no UTF-8
            raise WinnowError("what was typed is not UTF-8: write it as that, or name a file, whose encoding is found.")
    if not asked:
        raise WinnowError(
            'nothing was asked about: name files, "-" for standard input, or give --text where texts are known.'
        )
    return asked


def _typed_lines() -> list[str]:
    try:
        return [line.rstrip("\r\n") for line in sys.stdin]
    except UnicodeDecodeError:
        raise WinnowError("standard input is not UTF-8: save it as a file, whose encoding is found.") from None


def _shown(asked: Asked) -> str:
    return short(one_line(asked)) if isinstance(asked, str) else one_line(asked)


def _guesses(
    classifier: Classifier, files: Sequence[Asked], odd: dict[str, list[Asked]], *, why: bool = False
) -> Iterator[Guess]:
    """A guess for each file that is a sample; `odd`: gets the files that are unlike the training samples, by how."""
    spec, modality = classifier.spec, classifier.spec.encoder.inputs.kind
    readable: list[Asked] = []
    records = []
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
        decided = _decided(classifier, records[row], int(observed.probabilities[row].argmax())) if why else None
        yield Guess(file, spec.classes, observed.probabilities[row], spec.sets, strange, decided)


def _decided(classifier: Classifier, record: Array, number: int) -> list[tuple[str, float]]:
    """The parts that decided for that class, in words."""
    kind = classifier.spec.encoder.inputs.kind
    assert isinstance(kind, Worded)
    marks = decisive_parts(classifier, [record], [number])[0]
    return [(one_line(kind.said_in(record, mark.part)), mark.fall) for mark in marks]


def _oddities(seen: Seen | None, odd: dict[str, list[Asked]]) -> Iterator[str]:
    if seen is None or not seen.vectors:
        yield "this version does not keep enough of its training samples to tell others from them."
    for how, files in odd.items():
        more = f" and {len(files) - NAMED:,} more" if len(files) > NAMED else ""
        yield f"{how}: {', '.join(_shown(one) for one in files[:NAMED])}{more}."


def _read(file: Asked, modality: Modality) -> Record | None:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")  # odd metadata; what matters becomes Unreadable
            content = file.encode("utf-8", "replace") if isinstance(file, str) else file_bytes(file, modality)
            return modality.read(content)
    except Unreadable as error:
        print(f"winnow: {_shown(file)}: {error}", file=sys.stderr)
    return None
