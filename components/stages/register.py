"""Stage `register`: the model as one version in MLflow's registry, and the gate that decides whether it serves."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, field_validator

from components.core import journal, pipeline_run, tracking
from components.core.config import StageParams
from components.core.decisions import PROMOTED, REJECTED, Decided, history
from components.core.files import write_text
from components.core.model_versions import (
    CANDIDATE,
    CHAMPION,
    Version,
    create,
    crown,
    describe,
    dismiss,
    find,
    model_digest,
    nominate,
    promoting,
    versions,
)
from components.core.people import authors
from components.core.used import confirm
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.sample_store import Array, open_samples
from components.models.classifier import Classifier, load_classifier
from components.release.approval import AUTHORS, REVIEW, honour, how_to_answer
from components.release.bought import bought
from components.release.evidence import evidence_digest, standing
from components.release.gate import Decision, Gate, TestRows, decide
from components.release.model_card import card, evidence
from components.release.package import package
from components.release.provenance import FILE as PROVENANCE
from components.release.provenance import statement
from components.release.registered import lasting_fault, prove
from components.release.test_set import TAG as TEST_SET
from components.release.test_set import test_digest

MOST_DECISIONS = 20  # about all versions of the model, which the report shows


class Params(StageParams):
    """Name of the registered model, and what it takes to become champion."""

    name: str = "winnow"
    gate: Gate = Gate()

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
            raise ValueError("letters, digits, dots, dashes and underscores, the first a letter or a digit")
        return name


def run(
    *,
    params: Params,
    manifest: Path,
    samples: Path,
    oracle: Path,
    ledger: Path,
    model: Path,
    predictions: Path,
    metrics: Path,
    version: Path,
) -> dict[str, float]:
    """Register the model unless it is (one version per distinct model), let the gate decide, write `version.json`."""
    classifier = load_classifier(model)
    digest = model_digest(model)
    with _pipeline() as run_id, promoting():
        known = _known(params.name, digest)
        verdict = _judge(params, classifier, known, TestRows(predictions, manifest, samples))
        confirm()  # a version cannot be taken back
        if known is None:
            known = _create(params.name, run_id, model, classifier, _example(manifest, samples))
            pipeline_run.keep_json(run_id, PROVENANCE, lambda started: statement(model, run_id=run_id, started=started))
        figures = json.loads(metrics.read_text(encoding="utf-8"))
        classes = classifier.spec.classes
        made, kind = _made(known), classifier.spec.encoder.inputs.kind
        text = card(figures, verdict, classes, kind, model.with_name("guard.json"), {**made, "run_id": known.run_id})
        tags = {**evidence(figures, digest, classes, made), **_gate_tags(known, verdict, predictions)}
        if params.gate.approval == "person":
            text += f"\n\nTo answer for it: {how_to_answer(replace(known, tags={**known.tags, **tags}))}."
        describe(known, text, tags)
        _act(params.gate, verdict, find(params.name, known.number))
    registered = find(params.name, known.number)
    write_text(version, _version_json(registered, verdict, params.gate))
    return {"version": registered.number, "promoted": float(CHAMPION in registered.aliases)}


def _made(known: Version) -> dict[str, str]:
    """Commit, and whether files differed from it: when the version was first registered, unless they did then."""
    before: dict[str, str] = {name: known.tags[name] for name in ("git_commit", "git_dirty") if name in known.tags}
    if before.get("git_dirty") == "false":
        return before
    return {name: value for name, value in journal.provenance().items() if name != "dvc_lock"}


def _gate_tags(known: Version, verdict: Decision, predictions: Path) -> dict[str, str]:
    """The verdict, on which test rows, and who made the version: those who first registered it."""
    made_by = known.tags.get(AUTHORS) or json.dumps(authors(), ensure_ascii=False)
    return {"gate": json.dumps(asdict(verdict)), AUTHORS: made_by, TEST_SET: test_digest(predictions)}


def _act(gate: Gate, verdict: Decision, known: Version) -> None:
    """The gate's yes makes a champion, or where a person is asked a candidate, unless that person has said yes or no.

    A yes or no that stands in the tag `review` counts. The caller holds `promoting()`.
    """
    if known.tags.get(REVIEW):
        print(f"winnow: {honour(known, gate, prove=prove)}", file=sys.stderr)
        known = find(known.name, known.number)
    if not verdict.passed:
        dismiss(known)
        return
    if CHAMPION in known.aliases:
        prove(known)
        return
    said = standing(known)
    if said is not None and said.what == REJECTED:
        dismiss(known)
    elif gate.approval == "none":
        prove(known)
        crown(known, Decided(PROMOTED, why=verdict.why))
    elif said is None:
        prove(known)
        nominate(known)
    else:
        prove(known)
        crown(known, said)


def _known(name: str, digest: str) -> Version | None:
    """The version that is this model. One that cannot be loaded any more is none: the model is registered anew."""
    same = [item for item in versions(name) if item.sha256 == digest]
    return next((item for item in same if not lasting_fault(item, fresh=True)), None)


def _judge(params: Params, classifier: Classifier, known: Version | None, rows: TestRows) -> Decision:
    """The gate's verdict; the champion itself keeps the one it was promoted by, and a person's no stands."""
    present = next((item for item in versions(params.name) if CHAMPION in item.aliases), None)
    if known is not None and present is not None and known.number == present.number:
        return _kept(known.tags.get("gate", ""))
    if known is not None and "rolled_back" in known.tags:
        why = f"version {known.number} was rolled back by hand; `winnow promote {known.number}` brings it back."
        return Decision(False, why, "rollback")
    return decide(params.gate, classifier, present, rows, seed=params.seed)


def _kept(said: str) -> Decision:
    try:
        return TypeAdapter(Decision).validate_json(said)
    except ValueError:  # it was promoted by hand, or somebody has edited the tag
        return Decision(True, "it is the champion already.", "itself")


def _create(name: str, run_id: str, model: Path, classifier: Classifier, records: Array) -> Version:
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(aside) / "model"
        package(classifier, model, records, folder)
        return create(name, folder, run_id=run_id, digest=model_digest(model))


def _example(manifest: Path, samples: Path) -> Array:
    """Two samples of the test split as records: an example of one would freeze the batch at one."""
    rows = positions_of(read_manifest(manifest, ["split"]), "test")[:2]
    return open_samples(samples)[rows.repeat(2)[:2] if len(rows) < 2 else rows]


def _version_json(registered: Version, verdict: Decision, gate: Gate) -> str:
    """The same bytes each time that the version is registered already: the time and the run are its own."""
    every = versions(registered.name)
    told = [{"version": number, **asdict(one)} for number, one in history(every)]
    facts: dict[str, Any] = {
        "name": registered.name,
        "version": registered.number,
        "aliases": list(registered.aliases),
        "model_sha256": registered.sha256,
        "gate": asdict(verdict),
        "registered": datetime.fromtimestamp(registered.created // 1000, UTC).isoformat(),
        "experiment": tracking.experiment_name(),
        "run_id": registered.run_id,
        "git_commit": registered.tags.get("git_commit", ""),
        "git_dirty": registered.tags.get("git_dirty") == "true",
        "decisions": told[-MOST_DECISIONS:],
        "bought": bought(registered, verdict, every),
    }
    if gate.approval == "person":
        facts["approval"] = _approval(registered)
    return json.dumps(facts, indent=2, sort_keys=True) + "\n"


def _approval(registered: Version) -> dict[str, Any]:
    """Whether a person has said yes or no on the evidence that there is; what they can do, where nobody has."""
    said = standing(registered)
    waits = CANDIDATE in registered.aliases
    return {
        "evidence": evidence_digest(registered.tags),
        "said": asdict(said) if said else None,
        "waits": how_to_answer(registered) if waits else "",
    }


@contextmanager
def _pipeline() -> Iterator[str]:
    """The pipeline run this stage belongs to; under plain `dvc repro` there is none yet: made here, stages adopted."""
    given = os.environ.get(journal.PARENT)
    run_id = given or pipeline_run.begin()
    pipeline_run.keep_source(run_id)
    try:
        yield run_id
    except BaseException:
        if not given:
            pipeline_run.end(run_id, status=journal.FAILED, within="register")
        raise
    if not given:
        pipeline_run.end(run_id, status=journal.FINISHED, within="register")
