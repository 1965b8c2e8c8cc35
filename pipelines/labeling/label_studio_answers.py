"""Answers out of a file that Label Studio exported, as JSON or as JSON-MIN."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.core.errors import WinnowError
from components.datasets.ledger import PASSES
from components.pages.tasks import CHOICE
from pipelines.labeling.given import Answers, Given

TOOL = "label_studio"
LONGEST = 1e7  # seconds of an answer that are believed


def read_label_studio(path: Path, content: bytes) -> Answers:
    """Every annotation: its choice, or that it was skipped (`was_cancelled`). Drafts and predictions are no answers.

    Raises WinnowError for what is no such export.
    """
    wrong = f"{path} is no export of Label Studio in JSON or JSON-MIN"
    try:
        tasks = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise WinnowError(f"{wrong} ({str(error)[:80]}): is all of the file there?") from None
    if not isinstance(tasks, list):
        raise WinnowError(f"{wrong}: it must be a list of tasks.")
    given, unanswered, whole = list[Given](), 0, dict[str, set[str]]()
    for number, task in enumerate(tasks, 1):
        where = f"task {number}"
        if not isinstance(task, dict):
            raise WinnowError(f"{wrong}: {where} is no task.")
        found = [_minimal(task, where, wrong)] if "annotation_id" in task else list(_annotations(task, where, wrong))
        answered = [one for one in found if one is not None]
        unanswered += not answered
        given += answered
        if "annotations" in task:
            numbers = {str(one.get("id")) for one in task["annotations"]}
            whole[_identity(task["data"])] = whole.get(_identity(task["data"]), set()) | numbers
    return Answers(given, unanswered, whole=whole)


def _annotations(task: dict[str, Any], where: str, wrong: str) -> Iterator[Given | None]:
    data, annotations = task.get("data"), task.get("annotations", [])
    if not isinstance(data, dict) or not isinstance(annotations, list):
        raise WinnowError(f"{wrong}: {where} has no data, or no list of annotations.")
    for one in annotations:
        if not isinstance(one, dict) or not isinstance(one.get("result", []), list):
            raise WinnowError(f"{wrong}: {where} has an annotation that is none.")
        skipped = bool(one.get("was_cancelled"))
        choices = [] if skipped else _choices(one.get("result", []))
        row = _row(data, one, one.get("completed_by"), choices, PASSES[0] if skipped else "")
        yield _given(where, row, data, str(one.get("id", ""))) if skipped or choices else None


def _minimal(task: dict[str, Any], where: str, wrong: str) -> Given | None:
    said = task.get(CHOICE, "")
    chosen = said.get("choices", []) if isinstance(said, dict) else [said] if said else []
    if not isinstance(chosen, list):
        raise WinnowError(f"{wrong}: {where} has a {CHOICE} that is no list of choices.")
    choices = [str(one) for one in chosen]
    row = _row(task, task, task.get("annotator"), choices, "")
    return _given(where, row, task, str(task["annotation_id"])) if choices else None


def _choices(results: list[Any]) -> list[str]:
    """All that was chosen."""
    values = [one.get("value") for one in results if isinstance(one, dict) and one.get("type") == "choices"]
    lists = [one.get("choices") for one in values if isinstance(one, dict)]
    return [str(choice) for one in lists if isinstance(one, list) for choice in one]


def _row(data: dict[str, Any], one: dict[str, Any], who: Any, choices: list[str], passed: str) -> dict[str, str]:
    name = who.get("email") or who.get("id") if isinstance(who, dict) else who
    seconds = one.get("lead_time")
    return {
        "id": _identity(data),
        "label": ", ".join(choices),
        "annotator": name if isinstance(name, str) else f"{TOOL}:{name}",
        "source": "person",
        "cost": f"{seconds:.1f}" if isinstance(seconds, int | float) and 0 <= seconds < LONGEST else "",
        "at": str(one.get("updated_at") or one.get("created_at") or ""),
        "note": passed,
    }


def _given(where: str, row: dict[str, str], data: dict[str, Any], number: str) -> Given:
    note = "; ".join(part for part in (row["note"], f"{TOOL}:{number}" if number else "") if part)
    return Given(where, row | {"note": note}, str(data.get("sha256", "")), f"{TOOL}:{number}" if number else "")


def _identity(data: dict[str, Any]) -> str:
    return str(data.get("sample_id") or data.get("id") or "")
