"""The report of a run: one self-contained page for the person who decides whether the model ships."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import yaml

from components.core.spreadsheet import plain
from components.datasets.labels import Labels
from components.datasets.manifest import rows_of
from components.datasets.pseudo_labels import PseudoLabels, Status
from components.datasets.quarantine import read_losses, read_quarantine
from components.datasets.sample_store import Store
from components.judging import metrics as measures
from components.judging.collapse import shrunk
from components.judging.kept_word import beside_stated
from components.modalities import Modality
from components.modalities.worded import Mark
from components.models.prediction_sets import PredictionSets, members
from components.pages import charts
from components.pages.rule_rows import rule_rows
from components.pages.shown import showing
from components.pages.templates import templates

TEMPLATE = "report.html.jinja"
MOST_LABELS, MOST_CLASSES, MOST_MISTAKES, MOST_REASONS, MOST_ANNOTATORS = 24, 30, 24, 3, 15
SURE = 0.99  # a label's share of belief; a fitted label model is never quite certain
SOURCES = {
    "oracle": "asked of the source's own truth",
    "given": "given with the data",
    "person": "by a person",
    "rule": "by a rule",
}
LEFT_OUT = {
    Status.UNSURE: "not sure enough",
    Status.FOREIGN: "like none of the labels",
    Status.COPY: "near-duplicates of others that count",
    Status.FOLDER: "beyond their folder's share",
    Status.CLASS: "beyond their class's share",
}
MADE = "of pictures that were made, not found"


@dataclass(frozen=True)
class Inputs:
    """What the stages before left behind.

    facts: what was run, as name and text; history: its rows; audit: as JSON holds it, empty where there is none;
    changed: for each of its levels some samples after that change; version: of the registry, and its gate's verdict.
    marks: what decided for each of some records that it is of a class, by number; rules: a row of figures for each.
    """

    facts: list[tuple[str, str]]
    manifest: pd.DataFrame
    samples: Store
    modality: Modality
    quarantine: Path
    valid: bool
    preview: Path
    history: list[dict[str, float]]
    map: Path
    labels: Labels
    annotators: Path
    pseudo_labels: PseudoLabels
    guard: dict[str, Any]
    second_control: dict[str, Any]
    audit: dict[str, Any]
    changed: Sequence[npt.NDArray[Any]]
    version: dict[str, Any]
    marks: Callable[[list[npt.NDArray[Any]], list[int]], list[list[Mark]]]
    rules: pd.DataFrame


@dataclass(frozen=True)
class Results:
    """What the test split said: positions, actual classes `(M,)`, probabilities of both models `(M, K)`, figures.

    sets: how the prediction sets of the model that ships are made; None where there are none.
    """

    classes: list[str]
    positions: npt.NDArray[np.int64]
    actual: npt.NDArray[np.int64]
    ours: npt.NDArray[np.float32]
    theirs: npt.NDArray[np.float32]
    figures: dict[str, Any]
    sets: PredictionSets | None


def render(inputs: Inputs, results: Results) -> str:
    """The page as text. Every text from the data is escaped; nothing is loaded from elsewhere."""
    environment = templates()
    environment.filters["percent"] = lambda share: f"{100 * share:.1f} %"
    environment.filters["share"] = lambda share: f"{100 * share:g} %"
    environment.filters["points"] = lambda share: f"{100 * share:+.1f}".replace("-", "−")
    environment.filters["moment"] = lambda text: f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    environment.filters["thousands"] = lambda count: f"{int(count):,}".replace(",", "\u202f")
    return environment.get_template(TEMPLATE).render(
        **showing(inputs.modality),
        figures=results.figures,
        guard=inputs.guard,
        second_control=inputs.second_control,
        version=inputs.version,
        facts=inputs.facts,
        classes=results.classes,
        data=_data(inputs),
        preview=charts.picture_uri(inputs.preview),
        audit=_audit(inputs.audit, inputs.changed),
        map=charts.picture_uri(inputs.map),
        pretraining=_pretraining(inputs.history),
        labels=_labels(inputs, results.classes),
        rules=rule_rows(inputs.rules),
        pseudo=_pseudo(inputs.pseudo_labels, results.classes),
        results=_results(results),
        sets=_sets(results),
        mistakes=_mistakes(inputs, results),
    )


def _data(inputs: Inputs) -> dict[str, Any]:
    quarantine = read_quarantine(inputs.quarantine)
    kinds = [
        {"kind": kind, "count": len(rows), "examples": rows[["path", "reason"]].head(MOST_REASONS).to_dict("records")}
        for kind, rows in quarantine.groupby("kind", sort=True)
    ]
    splits = inputs.manifest["split"].value_counts()
    return {
        "train": int(splits.get("train", 0)),
        "test": int(splits.get("test", 0)),
        "groups": int(len(inputs.manifest) - inputs.manifest["group"].nunique()),
        "stored_as": inputs.modality.stored_as,
        "kinds": kinds,
        "quarantined": len(quarantine),
        "losses": read_losses(inputs.quarantine),
        "valid": inputs.valid,
    }


def _audit(audit: dict[str, Any], changed: Sequence[npt.NDArray[np.uint8]]) -> dict[str, Any] | None:
    if not audit:
        return None
    recommended = yaml.safe_dump(audit["recommended"], default_flow_style=True, sort_keys=False, width=1000).strip()
    rows = [{**level, "samples": samples} for level, samples in zip(audit["levels"], changed, strict=True)]
    return {**audit, "recommended": recommended, "rows": rows}


def _pretraining(history: list[dict[str, float]]) -> dict[str, Any]:
    wanted = [("loss", "loss"), ("effective_rank", "effective rank (dimensions in use)")]
    last = history[-1]
    panels = [(title, [row[name] for row in history]) for name, title in wanted if name in last]
    return {
        "epochs": int(last["epoch"]),
        "curve": charts.curve([row["epoch"] for row in history], panels),
        "collapsing": shrunk(last),
    }


def _labels(inputs: Inputs, classes: list[str]) -> dict[str, Any]:
    labels = inputs.labels
    places = rows_of(labels.ids, inputs.manifest["id"], "the labels")
    winners = labels.distributions.argmax(axis=1)
    groups = []
    for index, name in enumerate(classes[:MOST_CLASSES]):
        mine = np.flatnonzero(winners == index)
        cards = [
            {
                "sample": inputs.samples.record(places[row]),
                "title": f"{labels.ids[row]}, {labels.sources[row]}",
                "unsure": bool(labels.distributions[row].max() < SURE),
            }
            for row in mine[:MOST_LABELS]
        ]
        groups.append({"name": name, "count": len(mine), "cards": cards})
    sources = [(SOURCES[name], count) for name, count in sorted(Counter(labels.sources).items())]
    if labels.synthetic:
        sources.append((MADE, labels.synthetic))
    return {
        "groups": groups,
        "more_classes": max(0, len(classes) - MOST_CLASSES),
        "sources": sources,
        "held_out": int((labels.folds >= 0).sum()),
        "unsure": int((labels.distributions.max(axis=1) < SURE).sum()),
        **_annotators(inputs.annotators),
    }


def _annotators(path: Path) -> dict[str, Any]:
    """Those who gave most labels, and how many more there are; nobody where one has given all."""
    empty = {name: [""] for name in ("accuracy", "kappa", "same")}
    table = pd.read_csv(path, dtype={"annotator": str}, keep_default_na=False, na_values=empty)
    table["annotator"] = table["annotator"].map(plain)
    if len(table) < 2:
        return {"annotators": [], "more_annotators": 0}
    ordered = table.sort_values("votes", ascending=False, kind="stable")
    rows = ordered.head(MOST_ANNOTATORS).to_dict("records")
    return {"annotators": rows, "more_annotators": max(0, len(table) - MOST_ANNOTATORS)}


def _pseudo(pseudo: PseudoLabels, classes: list[str]) -> dict[str, Any]:
    if not pseudo.ids:
        return {"pool": 0}
    winners = pseudo.distributions.argmax(axis=1)[pseudo.accepted]
    counts = np.bincount(winners, minlength=len(classes))
    return {
        "pool": len(pseudo.ids),
        "accepted": int(pseudo.accepted.sum()),
        "left_out": [
            (said, count) for status, said in LEFT_OUT.items() if (count := int((pseudo.status == status).sum()))
        ],
        "histogram": charts.confidence_histogram(pseudo.confidence, pseudo.accepted),
        "classes": list(zip(classes, counts.tolist(), (counts / max(counts.max(), 1)).tolist(), strict=True)),
    }


def _results(results: Results) -> dict[str, Any]:
    count = len(results.classes)
    predicted = results.ours.argmax(axis=1)
    matrix = np.bincount(results.actual * count + predicted, minlength=count * count).reshape(count, count)
    hits, support, said = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    rows = [
        {
            "name": name,
            "precision": hits[index] / said[index] if said[index] else None,
            "recall": hits[index] / support[index] if support[index] else None,
            "f1": 2 * hits[index] / (said[index] + support[index]) if said[index] + support[index] else None,
            "support": int(support[index]),
        }
        for index, name in enumerate(results.classes)
    ]
    figures = results.figures
    lines = [
        ("labels alone", *(figures[f"control_accuracy{end}"] for end in ("", "_low", "_high"))),
    ]
    if figures["shipped"] != "control":
        lines.insert(0, ("this model", *(figures[f"accuracy{end}"] for end in ("", "_low", "_high"))))
    return {
        "rows": rows,
        "confusion": charts.confusion_matrix(matrix, results.classes),
        "reliability": charts.reliability_diagram(measures.reliability(results.ours, results.actual)),
        "intervals": charts.intervals(lines),
        "beside": [{"name": name, **row} for name, row in figures["baselines"]["rows"].items()],
    }


def _sets(results: Results) -> dict[str, Any] | None:
    """How many prediction sets there are of each size, and how many of these hold the right class."""
    if results.sets is None:
        return None
    inside = members(results.ours, results.sets)
    sizes, right = inside.sum(axis=1), inside[np.arange(len(inside)), results.actual]
    return {
        "coverage": results.sets.coverage,
        "labels": results.sets.labels,
        "too_few": results.sets.highest is None,
        "always": [results.classes[number] for number in results.sets.always],
        "words": beside_stated(results.figures),
        "rows": [
            {"size": int(size), "count": int((sizes == size).sum()), "right": float(right[sizes == size].mean())}
            for size in np.unique(sizes)
        ],
    }


def _mistakes(inputs: Inputs, results: Results) -> list[dict[str, Any]]:
    predicted, confidence = results.ours.argmax(axis=1), results.ours.max(axis=1)
    wrong = np.flatnonzero(predicted != results.actual)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST_MISTAKES]
    records = [inputs.samples.record(results.positions[row]) for row in worst]
    marks = inputs.marks(records, predicted[worst].tolist())
    return [
        {
            "sample": record,
            "marks": decided,
            "path": str(inputs.manifest["path"].iloc[results.positions[row]]),
            "actual": results.classes[results.actual[row]],
            "predicted": results.classes[predicted[row]],
            "confidence": float(confidence[row]),
            "control_right": bool(results.theirs[row].argmax() == results.actual[row]),
        }
        for row, record, decided in zip(worst, records, marks, strict=True)
    ]
