"""What a model version says of itself in the registry: a Markdown card for people, tags for evidence."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.core import journal
from components.core.pipeline_run import stage_keys
from components.modalities import Modality
from components.release.gate import Decision

Metrics = dict[str, Any]


def evidence(metrics: Metrics, digest: str, classes: list[str], made: Mapping[str, str]) -> dict[str, str]:
    """Tags: the model's and the data set's digest, the evaluation's figures, the code (`made`), every stage's key."""
    figures = {name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in metrics.items()}
    keys = {f"stage_key.{stage}": key for stage, key in stage_keys().items()}
    tags = {"model_sha256": digest, "dataset_digest": journal.dataset(), "classes": json.dumps(classes)}
    return {**figures, **keys, **made, **tags}


def card(
    metrics: Metrics, verdict: Decision, classes: list[str], kind: Modality, guard: Path, made: Mapping[str, str]
) -> str:
    """Markdown: what it is for, what it learned from, how good it is, why it serves or not, how to make it again.

    made: `git_commit` and `git_dirty`, none where there is no repository, and `run_id`, of what made it first.
    """
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
            f"| made by | run {made['run_id']}, which keeps settings, dvc.lock and environment |",
            "",
            f"Takes `({shape})` {served.dtype} {many}, gives `(N, K)` class probabilities, columns in the order above.",
            "To make it again, and see every byte compared: `winnow rebuild`.",
        ]
    )
