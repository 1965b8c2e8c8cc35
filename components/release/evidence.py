"""What a decision about a version stands on: its evidence in one digest, and what speaks against the version."""

import hashlib
import json
from collections.abc import Mapping

from pydantic import TypeAdapter

from components.core.decisions import APPROVED, REJECTED, Decided, decisions
from components.core.model_versions import ALL_FILES, Version
from components.release.gate import Decision, Gate

# What the card shows of a version: its bytes, the data it was measured on, the gate's figures and the evaluation's
EVIDENCE = (
    *("model_sha256", ALL_FILES, "dataset_digest", "classes", "gate", "accuracy", "accuracy_low", "accuracy_high"),
    *("control_accuracy", "labels_used", "test_samples", "shipped"),
)


def evidence_digest(tags: Mapping[str, str]) -> str:
    """sha256 over those of a version's tags that a person decides by: other figures, another digest."""
    facts = {name: tags.get(name, "") for name in EVIDENCE}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def verdict_of(tags: Mapping[str, str]) -> Decision | None:
    """What the gate said of the version; None where no gate has, or somebody has edited its tag."""
    try:
        return TypeAdapter(Decision).validate_json(tags.get("gate", ""))
    except ValueError:
        return None


def standing(version: Version) -> Decided | None:
    """A person's last no, on whatever evidence, or their last yes on the evidence as it is now; None: neither."""
    said = [one for one in decisions(version.tags) if one.what in (APPROVED, REJECTED)]
    if not said or (said[-1].what == APPROVED and said[-1].evidence != evidence_digest(version.tags)):
        return None
    return said[-1]


def reservations(version: Version, gate: Gate) -> list[str]:
    """What speaks against promoting the version by hand, as parts of a sentence; empty where nothing does."""
    verdict, found = verdict_of(version.tags), []
    if verdict is None:
        found.append("no gate has judged it")
    elif not verdict.passed and verdict.against != "rollback":  # brought back by hand as it was taken down
        found.append(f"the gate refused it ({verdict.why.rstrip('.')})")
    if version.tags.get("git_dirty") == "true":
        found.append("it was made with files that differ from their commit")
    answer = standing(version)
    if answer is not None and answer.what == REJECTED:
        found.append(f"{answer.by} rejected it ({answer.why.rstrip('.')})")
    elif answer is None and gate.approval == "person":
        found.append("nobody has approved it on the evidence that there is now")
    return found
