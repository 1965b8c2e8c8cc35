"""evaluate: how good the model is on the test split, beside the label-only control; and the report of the run."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from components.core.config import StageParams
from components.core.errors import WinnowError
from components.core.files import replacing, sha256, write_text
from components.core.seeds import numpy_generator
from components.core.spreadsheet import harmless
from components.datasets.labels import Labels, lists, read_labels
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.pseudo_labels import read_pseudo_labels
from components.datasets.sample_store import Store, open_samples
from components.datasets.truth import ORIGINS, answers, true_classes
from components.judging import metrics as measures
from components.judging.audit import Audit, as_records, audit_augmentations
from components.modalities.views import Views, read_views
from components.models.classifier import ClassifierSpec, load_classifier
from components.models.encoder_file import load_encoder
from components.models.encoders import Encoder
from components.models.prediction_sets import PredictionSets, members
from components.pages import report as pages
from components.training.inference import predict
from components.training.precision import choose_device

CONFIDENCE = 0.95  # of every interval
DIGITS = 12  # of a sha256 that names what was used


class Params(StageParams):
    """resamples: bootstrap resamples behind every interval; audited: labels at most in the augmentation audit."""

    resamples: int = Field(default=2000, ge=100)
    audited: int = Field(default=120, ge=0)


def run(
    *,
    params: Params,
    manifest: Path,
    samples: Path,
    oracle: Path,
    quarantine: Path,
    ledger: Path,
    verdict: Path,
    policy: Path,
    preview: Path,
    encoder: Path,
    history: Path,
    map: Path,
    labels: Path,
    annotators: Path,
    pseudo_labels: Path,
    model: Path,
    control: Path,
    guard: Path,
    predictions: Path,
    report: Path,
    audit: Path,
    metrics: Path,
    confusion: Path,
    reliability: Path,
) -> dict[str, float]:
    """The one stage that looks at test labels. Writes predictions, flat metrics, two plots' data and the report.

    The augmentation audit, in `audit` and the report, looks at training labels alone.
    """
    listing = read_manifest(manifest)
    shipped, alone = load_classifier(model), load_classifier(control)
    classes = shipped.spec.classes
    positions, actual, origins = _test_truth(listing, oracle, ledger, classes)
    store = open_samples(samples)
    ours, theirs = predict(shipped, store, positions), predict(alone, store, positions)
    ids = listing["id"].to_numpy()[positions]
    sets = shipped.spec.sets
    inside = members(ours, sets) if sets else None
    _write_predictions(predictions, ids, classes, actual, ours, theirs, inside)
    guarded = json.loads(guard.read_text(encoding="utf-8"))
    labeled = read_labels(labels)
    guessed = read_pseudo_labels(pseudo_labels)
    figures: dict[str, Any] = {
        **_figures(ours, theirs, actual, params),
        **(_set_figures(sets, inside, actual, params) if sets and inside is not None else {}),
        "labels_used": labeled.used,
        "test_samples": len(actual),
        **origins,
        "pseudo_labels_used": int(guessed.accepted.sum()) if guarded["shipped"] == "pseudo_labels" else 0,
        "shipped": guarded["shipped"],
        "temperature": shipped.spec.temperature,
    }
    write_text(metrics, json.dumps(figures, indent=2, sort_keys=True) + "\n")
    _write_plots(confusion, reliability, classes, ours, actual)
    views = read_views(policy)
    audited = _audit(params, load_encoder(encoder)[0], labeled, listing, store, views)
    write_text(audit, json.dumps(as_records(audited) if audited else {}, indent=2, sort_keys=True) + "\n")
    results = pages.Results(classes, positions, actual, ours, theirs, figures, sets)
    run_so_far = pages.Inputs(
        facts=_facts(params, manifest, labels, shipped.spec, history),
        manifest=listing,
        samples=store,
        quarantine=quarantine,
        verdict=verdict,
        preview=preview,
        history=history,
        map=map,
        labels=labeled,
        annotators=annotators,
        pseudo_labels=guessed,
        guard=guarded,
        audit=audited,
        views=views,
    )
    write_text(report, pages.render(run_so_far, results))
    return {name: float(value) for name, value in figures.items() if not isinstance(value, str)}


def _facts(params: Params, manifest: Path, labels: Path, model: ClassifierSpec, history: Path) -> list[tuple[str, str]]:
    """What was run, as far as the files say that this stage reads; the same bytes each time, so no date."""
    encoder = model.encoder
    options = "".join(f", {name} {value}" for name, value in sorted(encoder.options.items()))
    epochs = int(pd.read_csv(history)["epoch"].iloc[-1])
    trained = f"epochs of pretraining: {epochs}" if epochs else "with weights given to it"
    sets = f"meant to hold the right class for {100 * model.sets.coverage:g} %" if model.sets else "none"
    return [
        ("encoder", f"{encoder.name}{options}, {trained}"),
        ("adaptation to the labels", model.method),
        ("prediction sets", sets),
        ("seed", str(params.seed)),
        ("pictures, by digest", sha256(manifest)[:DIGITS]),
        ("labels, by digest", sha256(labels)[:DIGITS]),
    ]


def _audit(
    params: Params,
    encoder: Encoder,
    labels: Labels,
    listing: pd.DataFrame,
    store: Store,
    views: Views,
) -> Audit | None:
    """Of at most `params.audited` labels, drawn by chance."""
    drawn = np.sort(numpy_generator(params.seed, "audited").permutation(len(labels.ids))[: params.audited])
    if not len(drawn):
        return None
    places = {identity: row for row, identity in enumerate(listing["id"])}
    rows = np.array([places[labels.ids[index]] for index in drawn])
    classes = labels.distributions[drawn].argmax(axis=1)
    return audit_augmentations(encoder.to(choose_device()), store[rows], classes, views, seed=params.seed)


def _test_truth(
    listing: pd.DataFrame, oracle: Path, ledger: Path, classes: list[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], dict[str, int]]:
    """Positions of the test samples whose class is known, those classes, and how many came from where."""
    positions = positions_of(listing, "test")
    ids = listing["id"].to_numpy()[positions].tolist()
    truth = true_classes(oracle, answers(ledger, listing), ids)
    known = truth["class"].notna().to_numpy()
    if not known.any():
        raise WinnowError(
            f"no test sample has a label: neither the source nor {ledger} knows one, so nothing can be measured; "
            f"label some of the {len(ids)} test samples in the ledger, or name a source with a labeled test split."
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


def _figures(
    ours: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32], actual: npt.NDArray[np.int64], params: Params
) -> dict[str, float]:
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


def _set_figures(
    sets: PredictionSets, inside: npt.NDArray[np.bool_], actual: npt.NDArray[np.int64], params: Params
) -> dict[str, float]:
    """Coverage of the prediction sets beside the stated one, their mean size, and how often they are no answer."""
    metric = measures.coverage(inside, actual)
    found = measures.bootstrap(metric, resamples=params.resamples, seed=params.seed, confidence=CONFIDENCE)
    return {
        "coverage_stated": sets.coverage,
        "coverage": found.value,
        "coverage_low": found.low,
        "coverage_high": found.high,
        "set_size": float(inside.sum(axis=1).mean()),
        "abstained": float((inside.sum(axis=1) != 1).mean()),
    }


def _write_predictions(
    path: Path,
    ids: npt.NDArray[Any],
    classes: list[str],
    actual: npt.NDArray[np.int64],
    ours: npt.NDArray[np.float32],
    theirs: npt.NDArray[np.float32],
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
    ours: npt.NDArray[np.float32],
    actual: npt.NDArray[np.int64],
) -> None:
    names = np.array([harmless(name) for name in classes], dtype=object)
    pairs = pd.DataFrame({"actual": names[actual], "predicted": names[ours.argmax(axis=1)]})
    write_text(confusion, pairs.to_csv(index=False, lineterminator="\n"))
    bins = pd.DataFrame(measures.reliability(ours, actual), columns=["confidence", "accuracy", "samples"])
    write_text(reliability, bins.to_csv(index=False, lineterminator="\n", float_format="%.6f"))
