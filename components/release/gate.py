"""Whether a model may serve: against the champion on the same test rows, or, without one, against labels alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from components.core.config import Config
from components.core.model_versions import Version
from components.datasets.manifest import read_manifest, rows_of
from components.datasets.sample_store import open_samples
from components.judging.metrics import paired_difference
from components.models.classifier import Classifier
from components.release.registered import lasting_fault, load_version
from components.training.inference import predict

RESAMPLES = 2000
Correct = npt.NDArray[np.bool_]


class Gate(Config):
    """`metric` is compared; the low end of its paired interval must exceed `minimum_gain` to replace a champion.

    approval: `person`: what passes waits as a candidate until somebody has said yes to it (`winnow approve`).
    """

    metric: Literal["accuracy"] = "accuracy"
    minimum_gain: float = Field(default=0.0, ge=-1.0, le=1.0)
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    approval: Literal["none", "person"] = "none"


@dataclass(frozen=True)
class Decision:
    """What the gate said and by which figures; `why` is one sentence."""

    passed: bool
    why: str
    against: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class TestRows:
    """The test split as `evaluate` saw it, and where its pictures are."""

    predictions: Path
    manifest: Path
    samples: Path


def decide(gate: Gate, model: Classifier, champion: Version | None, rows: TestRows, *, seed: int) -> Decision:
    """The verdict on `model`, whose answers to the test rows are in `rows.predictions`.

    Without a champion it passes unless it is surely worse than the label-only control (interval wholly below zero);
    with one it must be surely better by more than `minimum_gain` (interval wholly above).
    """
    table = pd.read_parquet(rows.predictions)
    correct = (table["predicted"] == table["actual"]).to_numpy()
    if champion is None:
        names = np.array(model.spec.classes)
        control = names[np.stack(table["control_distribution"].to_list()).argmax(axis=1)] == table["actual"].to_numpy()
        return _against_control(paired_difference(correct, control, RESAMPLES, seed, gate.confidence))
    if fault := lasting_fault(champion):
        return Decision(False, f"there is nothing to compare with: {fault}", _name(champion))
    rival = load_version(champion)
    if (why := _incomparable(model, rival)) is not None:
        return Decision(False, f"{why}: compare them yourself, then `winnow promote`.", _name(champion))
    known = _correct(rival, table, rows)
    return _against_champion(gate, champion, paired_difference(correct, known, RESAMPLES, seed, gate.confidence))


def _against_control(figures: tuple[float, float, float]) -> Decision:
    _, _, high = figures
    passed = high >= 0
    why = "not worse than the label-only control" if passed else "worse than the label-only control"
    return Decision(passed, f"there was no champion, and it is {why} ({_interval(figures)}).", "control", *figures)


def _against_champion(gate: Gate, champion: Version, figures: tuple[float, float, float]) -> Decision:
    _, low, _ = figures
    passed = low > gate.minimum_gain
    claim = "surely better" if passed else "not surely better"
    why = f"{claim} than champion {_name(champion)} by more than {gate.minimum_gain:g} ({_interval(figures)})."
    return Decision(passed, why, _name(champion), *figures)


def _incomparable(model: Classifier, rival: Classifier) -> str | None:
    if model.spec.classes != rival.spec.classes:
        changed = sorted(set(model.spec.classes) ^ set(rival.spec.classes))
        return f"the champion knows other classes ({', '.join(changed)} differ), so the two cannot be compared"
    mine, other = (one.spec.encoder.inputs.kind.choice for one in (model, rival))
    if theirs := other.differing(mine):
        return f"the champion takes other data ({theirs})"
    return None


def _correct(rival: Classifier, table: pd.DataFrame, rows: TestRows) -> Correct:
    positions = rows_of(table["id"], read_manifest(rows.manifest, ["id"])["id"], str(rows.predictions))
    guesses = np.array(rival.spec.classes)[predict(rival, open_samples(rows.samples), positions).argmax(axis=1)]
    return np.asarray(guesses == table["actual"].to_numpy())


def _interval(figures: tuple[float, float, float]) -> str:
    difference, low, high = figures
    return f"difference {difference:+.4f}, interval {low:+.4f} to {high:+.4f}"


def _name(champion: Version) -> str:
    return f"version {champion.number}"
