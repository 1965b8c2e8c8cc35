"""What a model version says of itself in the registry: a Markdown card for people, tags for evidence."""

import json
from pathlib import Path
from typing import Any

from components.core import journal
from components.core.pipeline_run import stage_keys
from components.modalities import Modality
from components.release.gate import Decision

Metrics = dict[str, Any]


def evidence(metrics: Metrics, digest: str, classes: list[str]) -> dict[str, str]:
    """Tags: the model's and the data set's digest, the evaluation's figures, code and graph, every stage's key."""
    figures = {name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in metrics.items()}
    keys = {f"stage_key.{stage}": key for stage, key in stage_keys().items()}
    tags = {"model_sha256": digest, "dataset_digest": journal.dataset(), "classes": json.dumps(classes)}
    return {**figures, **keys, **journal.provenance(), **tags}


def card(metrics: Metrics, verdict: Decision, classes: list[str], kind: Modality, guard: Path) -> str:
    """Markdown: what it is for, what it learned from, how good it is, why it serves or not, how to make it again."""
    made = journal.provenance()
    says = json.loads(guard.read_text(encoding="utf-8")) if guard.is_file() else {}
    interval = f"{metrics['accuracy']:.4f} ({metrics['accuracy_low']:.4f} to {metrics['accuracy_high']:.4f})"
    (one, many), served = kind.noun, kind.served()
    shape = ", ".join(["N", *("any" if side < 0 else str(side) for side in served.shape)]) if served.shape else "N,"
    dirty = ", with files changed since" if made.get("git_dirty") == "true" else ""
    return "\n".join(
        [
            f"{one.capitalize()} classifier, {len(classes)} classes: {', '.join(classes)}.",
            "",
            "| | |",
            "|---|---|",
            f"| labels used | {metrics.get('labels_used', '?')}, validation included |",
            f"| test accuracy | {interval} on {metrics.get('test_samples', '?')} {many} never trained on |",
            f"| label-only control | {metrics.get('control_accuracy', float('nan')):.4f} |",
            f"| guard | ships {metrics.get('shipped', '?')}: {says.get('why', 'see guard.json')} |",
            f"| gate | {'passed' if verdict.passed else 'not passed'}: {verdict.why} |",
            f"| data set | manifest sha256 {journal.dataset()} |",
            f"| code | git {made.get('git_commit', 'no repository')}{dirty} |",
            f"| graph | dvc.lock sha256 {made.get('dvc_lock', 'none yet')} |",
            "",
            f"Takes `({shape})` {served.dtype} {many}, gives `(N, K)` class probabilities, columns in the order above.",
            "To make it again: check out that commit, `dvc repro` (same data, settings and seed give the same bytes).",
        ]
    )
