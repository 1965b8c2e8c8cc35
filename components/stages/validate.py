"""Stage `validate`: data that breaks its contract stops here, with the broken rule, the rows and a page to look at."""

import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from pydantic import Field

from components.core.config import StageParams
from components.core.errors import Refused
from components.core.files import write_text
from components.datasets.contract import (
    Limits,
    class_batches,
    drifted,
    manifest_batches,
    quarantine_batches,
    schema_batch,
)
from components.datasets.expectations import Failure, check
from components.datasets.manifest import has_origins, read_manifest, schema_of
from components.datasets.oracle import read_classes, read_oracle
from components.datasets.quarantine import KINDS, read_leaks, read_quarantine, read_ways
from components.datasets.sample_store import ANY, read_about
from components.modalities import build_modality
from components.pages.verdict import write_verdict_page

PAGE = "data/validate/docs/index.html"
_ROWS_SAID = 3


class Params(StageParams):
    """min_per_class: training samples of each class; min_test, min_test_per_class: test samples, and of each class.

    The others: the largest share of files that may be left out.
    """

    min_per_class: int = Field(2, ge=0)
    min_test: int = Field(5, ge=0)
    min_test_per_class: int = Field(1, ge=0)
    max_unreadable: float = Field(0.05, ge=0, le=1)
    max_conflicts: float = Field(0.01, ge=0, le=1)


def run(
    *, params: Params, manifest: Path, samples: Path, quarantine: Path, oracle: Path, verdict: Path
) -> dict[str, float]:
    """Check ingest's tables; write `verdict.json` and the pages in `docs/` beside it. samples: what they are.

    Raises Refused, after writing both, naming the first broken expectation and its first rows.
    """
    about = read_about(samples)
    modality = build_modality(about.modality)
    wanted = schema_of(modality.facts, lengths=about.shape[:1] == (ANY,), origins=has_origins(manifest))
    batches = [schema_batch(manifest, wanted)]
    facts: dict[str, object] = {}
    if not drifted(batches[0]):
        listing, left_out = read_manifest(manifest), read_quarantine(quarantine)
        truth, classes = read_oracle(oracle), read_classes(oracle)
        limits = Limits(**params.model_dump(exclude={"seed", "threads"}))
        batches += [
            *manifest_batches(listing, read_ways(quarantine), limits, modality.rules()),
            *class_batches(listing, truth, classes, limits),
            *quarantine_batches(left_out, len(listing), read_leaks(quarantine), limits),
        ]
        facts = _facts(listing, left_out, truth, classes)
    outcomes, failures = check(batches, verdict.parent / "docs")
    write_verdict_page(verdict.parent / "docs", outcomes)
    statistics = {"expectations": len(outcomes), "failed": len(failures), **facts}
    outcome = {"success": not failures, "statistics": statistics, "failed": [asdict(failure) for failure in failures]}
    write_text(verdict, json.dumps(outcome, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    if failures:
        raise Refused(_sentence(failures))
    return {"expectations": float(len(outcomes)), "failed": 0.0}


def _facts(samples: pd.DataFrame, left_out: pd.DataFrame, truth: pd.DataFrame, classes: list[str]) -> dict[str, object]:
    splits, kinds = samples["split"].value_counts(), left_out["kind"].value_counts()
    return {
        "samples": len(samples),
        "train": int(splits.get("train", 0)),
        "test": int(splits.get("test", 0)),
        "classes": len(classes),
        "labeled": len(truth),
        "quarantined": {kind: int(kinds.get(kind, 0)) for kind in KINDS},
    }


def _sentence(failures: list[Failure]) -> str:
    first = failures[0]
    named = "; ".join(", ".join(f"{name} {row[name]}" for name in sorted(row)) for row in first.rows[:_ROWS_SAID])
    rows = f": {named}" if named else ""
    others = f"; {len(failures) - 1} more are broken" if len(failures) > 1 else ""
    return f"the data may not pass: {first.sentence}{rows}{others}; mend that and run again, all is in {PAGE}."
