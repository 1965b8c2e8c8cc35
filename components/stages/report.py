"""report: what a run came to, on one page for the person who decides about its model, and what pretraining learned."""

import csv
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from components.core import journal
from components.core.config import StageParams
from components.core.files import sha256, write_text
from components.datasets.labels import matrix, read_labels
from components.datasets.manifest import read_manifest, rows_of
from components.datasets.named_arrays import read_arrays
from components.datasets.pseudo_labels import read_pseudo_labels
from components.datasets.rule_labels import read_rule_figures
from components.datasets.sample_store import open_samples
from components.modalities import build_modality
from components.modalities.worded import Mark, Worded
from components.models.classifier import load_classifier
from components.models.given_weights import Origin, made_otherwise
from components.models.prediction_sets import PredictionSets
from components.pages import report as pages
from components.pages.learned import draw_learned
from components.training.occlusion import decisive_parts

DIGITS = 12  # of a sha256 that names what was used


class Params(StageParams):
    """None of its own; what the page names of the others' settings comes beside."""


def run(*, params: Params, settings: dict[str, Any], report: Path, learned: Path, **left: Path) -> dict[str, float]:
    """Write the page, which also joins the artifacts of the pipeline run that registered the model, and the drawing.

    settings: which methods the other stages were told to use; left: what the other stages left behind, by its name in
    dvc.yaml.
    """
    found, spec = _inputs(params.seed, settings, left), _json(left["model"].with_suffix(".json"))
    write_text(report, pages.render(found, _results(left["predictions"], found.manifest, spec, _json(left["metrics"]))))
    tile, shown = found.modality.tile, read_arrays(left["shown"])
    tiles = {caption: [tile(one) for one in records] for caption, records in shown.items()}
    draw_learned(learned, f"What {settings['pretrain']['method']['name']} learned", found.history, tiles)
    journal.join(report.name)
    return {}


def _inputs(seed: int, settings: dict[str, Any], left: dict[str, Path]) -> pages.Inputs:
    rows, store = _rows(left["history"]), open_samples(left["samples"])
    kind = build_modality(store.about.modality)
    return pages.Inputs(
        facts=[
            *_methods(settings, _json(left["model"].with_suffix(".json")), int(rows[-1]["epoch"])),
            ("seed", str(seed)),
            ("data, by digest", sha256(left["manifest"])[:DIGITS]),
            ("labels, by digest", sha256(left["labels"])[:DIGITS]),
        ],
        manifest=read_manifest(left["manifest"]),
        samples=store,
        modality=kind,
        quarantine=left["quarantine"],
        valid=bool(_json(left["verdict"])["success"]),
        preview=left["preview"],
        history=rows,
        map=left["map"],
        labels=read_labels(left["labels"]).vouched,
        annotators=left["annotators"],
        pseudo_labels=read_pseudo_labels(left["pseudo_labels"]),
        guard=_json(left["guard"]),
        second_control=_json(left["second_control"]),
        audit=_json(left["audit"]),
        changed=list(read_arrays(left["changed"]).values()),
        version=_json(left["version"]),
        marks=partial(_marks, left["model"]) if isinstance(kind, Worded) else lambda records, _: [[] for _ in records],
        rules=read_rule_figures(left["rule_figures"]),
    )


def _marks(model: Path, records: list[Any], classes: list[int]) -> list[list[Mark]]:
    return decisive_parts(load_classifier(model), records, classes)


def _methods(settings: dict[str, Any], spec: dict[str, Any], epochs: int) -> list[tuple[str, str]]:
    """Every method by name, with the options that were set."""
    told = "weights given to it, taken as they are" if not epochs else _choice(settings["pretrain"]["method"])
    sets, origin = spec["sets"], spec["encoder"].get("origin")
    return [
        ("encoder", _choice(settings["pretrain"]["encoder"])),
        *([("weights", _weights(Origin.model_validate(origin), spec["encoder"]["inputs"]))] if origin else []),
        ("pretraining", f"{told}, {epochs} epochs" if epochs else told),
        ("first labels asked for", _choice(settings["label"]["first"])),
        ("labels of several people", _choice(settings["label"]["aggregation"])),
        ("pseudo-labels", _choice(settings["pseudo_label"]["method"])),
        ("adaptation to the labels", _choice(settings["finetune"]["method"])),
        ("prediction sets", f"meant to hold the right class for {100 * sets['coverage']:g} %" if sets else "none"),
        ("next questions", _choice(settings["select"]["strategy"])),
    ]


def _weights(origin: Origin, inputs: dict[str, Any]) -> str:
    """Whose they are, and what of these samples is not as they were made with."""
    return ". ".join([origin.said, *made_otherwise(origin, inputs["modality"])])


def _choice(choice: dict[str, Any]) -> str:
    options = "".join(f", {name} {value}" for name, value in sorted(choice.items()) if name != "name")
    return f"{choice['name']}{options}"


def _results(predictions: Path, listing: pd.DataFrame, spec: dict[str, Any], figures: dict[str, Any]) -> pages.Results:
    table = pq.read_table(predictions)
    classes: list[str] = spec["classes"]
    return pages.Results(
        classes,
        rows_of(table["id"].to_pylist(), listing["id"], str(predictions)),
        np.array([classes.index(name) for name in table["actual"].to_pylist()], dtype=np.int64),
        matrix(table["distribution"]),
        matrix(table["control_distribution"]),
        figures,
        PredictionSets.model_validate(spec["sets"]) if spec["sets"] else None,
    )


def _rows(history: Path) -> list[dict[str, float]]:
    with history.open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
