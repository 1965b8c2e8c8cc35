"""Two registered versions on the same test samples: what each says to every one, and the gate's figures of the two."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from components.core.errors import WinnowError
from components.core.files import sha256
from components.core.model_versions import Version
from components.datasets.manifest import read_manifest, rows_of
from components.datasets.sample_store import Store, open_samples
from components.judging.metrics import paired_difference
from components.models.classifier import Classifier
from components.pages.difference import BOTH_WRONG, LOST, WON, Pair, Said, Summary
from components.release.evidence import verdict_of
from components.release.gate import RESAMPLES, Gate, TestRows
from components.release.registered import load_version
from components.release.test_set import TAG, test_digest
from components.training.inference import predict

Texts = npt.NDArray[Any]
_TELLING = 6  # digits to which the gate's figures are compared


def difference(
    first: Version, second: Version, rows: TestRows, gate: Gate, *, seed: int
) -> tuple[Summary, list[Pair], Classifier]:
    """Counts and interval, the samples that not both have right, and the second version's classifier.

    Both are asked anew about the test rows that there are; seed and gate: as `register` has them, so that the interval
    is the gate's. Raises WinnowError where the two were not measured on these rows, or take other kinds of data.
    """
    _check_test_sets(first, second, rows)
    one, other = load_version(first), load_version(second)
    mine, theirs = (model.spec.encoder.inputs.kind.choice for model in (one, other))
    if differing := theirs.differing(mine):
        raise WinnowError(f"{_name(first)} and {_name(second)} take other data ({differing}): compare two of one kind.")
    table = pd.read_parquet(rows.predictions, columns=["id", "actual"])
    listing = read_manifest(rows.manifest, ["id", "path"])
    positions = rows_of(table["id"], listing["id"], str(rows.predictions))
    store = open_samples(rows.samples)
    actual: Texts = table["actual"].to_numpy()
    said = [_said(model, store, positions) for model in (one, other)]
    right = [names == actual for names, _ in said]
    figures = paired_difference(right[1], right[0], RESAMPLES, seed, gate.confidence)
    pairs = [
        Pair(
            table["id"].iloc[row],
            listing["path"].iloc[positions[row]],
            store.record(int(positions[row])),
            str(actual[row]),
            LOST if right[0][row] else WON if right[1][row] else BOTH_WRONG,
            *(Said(str(names[row]), float(confidence[row])) for names, confidence in said),
        )
        for row in np.flatnonzero(~(right[0] & right[1]))
    ]
    return _summary((first, second), right, figures, gate), pairs, other


def _summary(
    two: tuple[Version, Version], right: Sequence[Texts], figures: tuple[float, float, float], gate: Gate
) -> Summary:
    first, second = right
    verdict = verdict_of(two[1].tags)
    compared = verdict is not None and verdict.against == _name(two[0])
    found = (verdict.difference, verdict.low, verdict.high) if verdict is not None and compared else figures
    same = all(a is not None and round(a - b, _TELLING) == 0 for a, b in zip(found, figures, strict=True))
    return Summary(
        first=_name(two[0]),
        second=_name(two[1]),
        samples=len(first),
        both_right=int((first & second).sum()),
        both_wrong=int((~first & ~second).sum()),
        won=int((second & ~first).sum()),
        lost=int((first & ~second).sum()),
        difference=figures,
        confidence=gate.confidence,
        accuracies=(float(first.mean()), float(second.mean())),
        gate=verdict.why if verdict is not None and compared else "",
        agrees=same,
    )


def _check_test_sets(first: Version, second: Version, rows: TestRows) -> None:
    """Versions from before the test set was noted are told by the digest of the whole data set."""
    here = {TAG: test_digest(rows.predictions), "dataset_digest": sha256(Path(rows.manifest))}
    for version in (first, second):
        kind = TAG if TAG in version.tags else "dataset_digest"
        if version.tags.get(kind) != here[kind]:
            raise WinnowError(
                f"{_name(version)} was measured on other test samples or classes than {rows.predictions} holds now, so "
                "that nothing adds up: `winnow repro` with the data it was measured on, or compare later versions."
            )


def _said(model: Classifier, store: Store, positions: npt.NDArray[np.int64]) -> tuple[Texts, Texts]:
    """The class `(M,)` and its probability `(M,)` that the model gives each row."""
    probabilities = predict(model, store, positions)
    return np.array(model.spec.classes, dtype=object)[probabilities.argmax(axis=1)], probabilities.max(axis=1)


def _name(version: Version) -> str:
    return f"version {version.number}"
