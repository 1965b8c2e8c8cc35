"""evaluate: how good the model is on the test split, beside the label-only control."""

import json
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from components.core.config import StageParams
from components.core.errors import WinnowError
from components.core.files import replacing, write_text
from components.core.spreadsheet import frame_to_csv
from components.datasets.labels import Labels, lists, read_labels
from components.datasets.manifest import positions_of, read_manifest, rows_of
from components.datasets.pseudo_labels import read_pseudo_labels
from components.datasets.sample_store import Store, open_samples
from components.datasets.truth import ORIGINS, answers, true_classes
from components.judging import baselines
from components.judging import metrics as measures
from components.judging.kept_word import beside_stated
from components.models.classifier import Classifier, load_classifier
from components.models.prediction_sets import PredictionSets, members
from components.training.inference import known_vectors, predict

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
CONFIDENCE = 0.95  # of every interval


class Params(StageParams):
    """resamples: bootstrap resamples behind every interval."""

    moved: ClassVar[dict[str, str]] = {"audited": "audit.audited"}

    resamples: int = Field(default=2000, ge=100)


def run(
    *,
    params: Params,
    manifest: Path,
    samples: Path,
    oracle: Path,
    ledger: Path,
    embeddings: Path,
    labels: Path,
    pseudo_labels: Path,
    model: Path,
    control: Path,
    candidate: Path,
    guard: Path,
    predictions: Path,
    metrics: Path,
    confusion: Path,
    reliability: Path,
) -> dict[str, float]:
    """The one stage that looks at test labels. Writes predictions, metrics and two plots' data."""
    listing = read_manifest(manifest)
    shipped, alone = load_classifier(model), load_classifier(control)
    classes, sets = shipped.spec.classes, shipped.spec.sets
    positions, actual, origins = _test_truth(listing, oracle, ledger, classes)
    store = open_samples(samples)
    ours, theirs = (predict(one, store, positions, vectors=known_vectors(one, embeddings)) for one in (shipped, alone))
    inside = members(ours, sets) if sets else None
    _write_predictions(predictions, listing["id"].to_numpy()[positions], classes, actual, ours, theirs, inside)
    (ships, held_back), known = _judged(guard), read_labels(labels)
    figures: dict[str, Any] = {
        **_figures(ours, theirs, actual, params),
        **(_set_figures(sets, inside, actual, params) if sets and inside is not None else {}),
        **(_candidate_figures(candidate, (store, positions, embeddings), theirs, actual, params) if held_back else {}),
        "baselines": _beside(shipped, store, (known, listing), positions, ours, actual, params),
        "labels_used": known.used,
        "test_samples": len(actual),
        **origins,
        "pseudo_labels_used": int(read_pseudo_labels(pseudo_labels).accepted.sum()) if ships == "pseudo_labels" else 0,
        "shipped": ships,
        "temperature": shipped.spec.temperature,
    }
    write_text(metrics, json.dumps(figures, indent=2, sort_keys=True) + "\n")
    _write_plots(confusion, reliability, classes, ours, actual)
    return {name: float(value) for name, value in figures.items() if isinstance(value, int | float)}


def _judged(guard: Path) -> tuple[str, bool]:
    """What ships, and whether there was a model with pseudo-labels that does not."""
    said = json.loads(guard.read_text(encoding="utf-8"))
    return said["shipped"], said["shipped"] != "pseudo_labels" and said["evidence"] != "none"


def _test_truth(
    listing: pd.DataFrame, oracle: Path, ledger: Path, classes: list[str]
) -> tuple[Integers, Integers, dict[str, int]]:
    """Integers of the test samples whose class is known, those classes, and how many came from where."""
    positions = positions_of(listing, "test")
    ids = listing["id"].to_numpy()[positions].tolist()
    truth = true_classes(oracle, answers(ledger, listing), ids)
    known = truth["class"].notna().to_numpy()
    if not known.any():
        raise WinnowError(
            f"no test sample has a label: neither the source nor {ledger} knows one, so nothing can be measured; "
            f"`winnow label --test` asks about them ({len(ids):,}), or name a source with a labeled test split."
        )
    names = truth.loc[known, "class"].tolist()
    strange = sorted(set(names) - set(classes))
    if strange:
        raise WinnowError(
            f"the test split holds the class '{strange[0]}', which the model has never seen: label training samples "
            f"of it, or take it out of the test split."
        )
    counts = {origin: int((truth["origin"] == origin).sum()) for origin in ORIGINS}
    if counts["ledger"] or counts["corrected"]:
        source, people, corrected = counts.values()
        print(
            f"  evaluate: test labels: {source} of the source, {people} of the ledger, {corrected} corrected by it.",
            file=sys.stderr,
        )
    found = {f"test_labels_{origin}": count for origin, count in counts.items()}
    return positions[known], np.array([classes.index(name) for name in names], dtype=np.int64), found


def _figures(ours: Floats, theirs: Floats, actual: Integers, params: Params) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, metric in (
        ("accuracy", measures.accuracy(ours, actual)),
        ("control_accuracy", measures.accuracy(theirs, actual)),
        ("macro_f1", measures.macro_f1(ours, actual)),
        ("nll", measures.negative_log_likelihood(ours, actual)),
        ("ece", measures.calibration_error(ours, actual)),
        ("brier", measures.brier(ours, actual)),
    ):
        interval = measures.bootstrap(metric, resamples=params.resamples, seed=params.seed, confidence=CONFIDENCE)
        figures |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    right, alone = ours.argmax(axis=1) == actual, theirs.argmax(axis=1) == actual
    gain, low, high = measures.paired_difference(right, alone, params.resamples, params.seed, CONFIDENCE)
    return {**figures, "gain": gain, "gain_low": low, "gain_high": high, "mcnemar_p": measures.mcnemar(right, alone)}


def _candidate_figures(
    candidate: Path, asked: tuple[Store, Integers, Path], theirs: Floats, actual: Integers, params: Params
) -> dict[str, float]:
    """Of the model with pseudo-labels that the guard held back, for the report alone; `candidate_gain`: over labels
    alone. asked: the store, positions in it, and the vectors of all samples.
    """
    model = load_classifier(candidate)
    said = predict(model, *asked[:2], vectors=known_vectors(model, asked[2]))
    right, alone = said.argmax(axis=1) == actual, theirs.argmax(axis=1) == actual
    gain, low, high = measures.paired_difference(right, alone, params.resamples, params.seed, CONFIDENCE)
    gains = {"candidate_gain": gain, "candidate_gain_low": low, "candidate_gain_high": high}
    return {"candidate_accuracy": float(right.mean()), **gains}


def _beside(
    shipped: Classifier,
    store: Store,
    taught: tuple[Labels, pd.DataFrame],
    positions: Integers,
    ours: Floats,
    actual: Integers,
    params: Params,
) -> dict[str, Any]:
    """What takes no encoder, taught the same labels: see `baselines.beside`. taught: they, and the manifest."""
    known, listing = taught
    rows = rows_of(known.ids, listing["id"], "the labels")
    answers = baselines.simple_answers(shipped.spec.encoder.inputs.kind, store, rows, known.distributions, positions)
    how = baselines.Drawn(params.resamples, params.seed, CONFIDENCE)
    found = baselines.beside(ours.argmax(axis=1), answers, actual, ours.shape[1], how)
    if found["why"]:
        print(f"  evaluate: {found['why']}", file=sys.stderr)
    return found


def _set_figures(
    sets: PredictionSets, inside: npt.NDArray[np.bool_], actual: Integers, params: Params
) -> dict[str, float]:
    """Coverage of the prediction sets beside the stated one, their mean size, and how often they are no answer."""
    metric = measures.coverage(inside, actual)
    found = measures.bootstrap(metric, resamples=params.resamples, seed=params.seed, confidence=CONFIDENCE)
    covered = {
        "coverage_stated": sets.coverage,
        "coverage": found.value,
        "coverage_low": found.low,
        "coverage_high": found.high,
    }
    if found.high < sets.coverage:
        told = f"{100 * found.value:.1f} % of the prediction sets hold the right class, {beside_stated(covered)}"
        print(f"  evaluate: {told}.", file=sys.stderr)
    return covered | {
        "set_size": float(inside.sum(axis=1).mean()),
        "abstained": float((inside.sum(axis=1) != 1).mean()),
    }


def _write_predictions(
    path: Path,
    ids: npt.NDArray[Any],
    classes: list[str],
    actual: Integers,
    ours: Floats,
    theirs: Floats,
    inside: npt.NDArray[np.bool_] | None,
) -> None:
    names = np.array(classes, dtype=object)
    columns = {
        "id": pa.array(ids, pa.string()),
        "actual": pa.array(names[actual], pa.string()),
        "predicted": pa.array(names[ours.argmax(axis=1)], pa.string()),
        "confidence": pa.array(ours.max(axis=1)),
        "distribution": lists(ours),
        "control_distribution": lists(theirs),
    }
    if inside is not None:
        columns["set"] = pa.array([names[row].tolist() for row in inside], pa.list_(pa.string()))
    with replacing(path) as aside:
        pq.write_table(pa.table(columns, metadata={"classes": json.dumps(classes)}), aside)


def _write_plots(
    confusion: Path,
    reliability: Path,
    classes: list[str],
    ours: Floats,
    actual: Integers,
) -> None:
    names = np.array(classes, dtype=object)
    pairs = pd.DataFrame({"actual": names[actual], "predicted": names[ours.argmax(axis=1)]})
    write_text(confusion, frame_to_csv(pairs))
    bins = pd.DataFrame(measures.reliability(ours, actual), columns=["confidence", "accuracy", "samples"])
    write_text(reliability, frame_to_csv(bins, "%.6f"))
