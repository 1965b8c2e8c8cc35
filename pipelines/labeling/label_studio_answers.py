"""Answers out of Label Studio's tasks: of a file that it exported, as JSON or as JSON-MIN, or as its server says."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.core.errors import WinnowError
from components.core.terminal import short
from components.datasets.ledger import PASSES
from components.pages.tasks import CHOICE
from pipelines.labeling.given import Answers, Given

TOOL = "label_studio"
LONGEST = 1e7  # seconds of an answer that are believed


class _TwiceError(ValueError):
    """An object that says one name twice: which of both counts, nobody knows."""


def read_label_studio(path: Path, content: bytes) -> Answers:
    """The answers of a file. Raises WinnowError for what is no such export."""
    wrong = f"{path} is no export of Label Studio in JSON or JSON-MIN"
    try:
        tasks = json.loads(content, object_pairs_hook=_once)
    except _TwiceError as error:
        raise WinnowError(f"{wrong}: one of its objects says {error} twice: export it anew.") from None
    except (ValueError, RecursionError) as error:
        raise WinnowError(f"{wrong} ({str(error)[:80]}): is all of the file there?") from None
    if not isinstance(tasks, list):
        raise WinnowError(f"{wrong}: it must be a list of tasks.")
    return answers_of(tasks, wrong)


def answers_of(tasks: Iterable[Any], wrong: str, people: Mapping[int, str] | None = None) -> Answers:
    """Every annotation: its choice, or that it was skipped (`was_cancelled`). Drafts and predictions are no answers.

    people: names by the tool's numbers; the others are `label_studio:7`. Raises WinnowError, which begins with
    `wrong`, for what are no tasks.
    """
    given, unanswered, foreign = list[Given](), 0, 0
    whole = dict[tuple[str, str], set[str]]()
    for number, task in enumerate(tasks, 1):
        where = f"task {number}"
        if not isinstance(task, dict):
            raise WinnowError(f"{wrong}: {where} is no task.")
        brief = "annotation_id" in task
        found = [_minimal(task, where, wrong)] if brief else list(_annotations(task, where, wrong, people or {}))
        others = sum(one is None and _is_foreign(said) for one, said in zip(found, _list(task), strict=False))
        answered = [one for one in found if one is not None]
        foreign += others
        unanswered += not answered and not others
        given += answered
        if "annotations" in task:
            whose = (identity_of(task["data"]), _mark(task))
            whole[whose] = whole.get(whose, set()) | {str(one.get("id")) for one in _list(task)}
    return Answers(given, unanswered, whole=whole, foreign=foreign)


def identity_of(data: Mapping[str, Any]) -> str:
    """The sample's id, as a task's data say it; nothing where they do not."""
    return str(data.get("sample_id") or data.get("id") or "")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(f"'{short(next(name for name in names if names.count(name) > 1))}'")
    return found


def _list(task: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = task.get("annotations", [])
    return found


def _annotations(task: dict[str, Any], where: str, wrong: str, people: Mapping[int, str]) -> Iterator[Given | None]:
    data, annotations = task.get("data"), task.get("annotations", [])
    if not isinstance(data, dict) or not isinstance(annotations, list):
        raise WinnowError(f"{wrong}: {where} has no data, or no list of annotations.")
    for one in annotations:
        if not isinstance(one, dict) or not isinstance(one.get("result", []), list):
            raise WinnowError(f"{wrong}: {where} has an annotation that is none.")
        skipped = bool(one.get("was_cancelled"))
        choices = [] if skipped else _choices(one.get("result", []))
        who = one.get("completed_by")
        row = _row(data, one, people.get(who, who) if isinstance(who, int) else who, choices, skipped=skipped)
        number = ":".join(part for part in (_mark(task), str(one.get("id", ""))) if part)
        yield _given(where, row, data, number) if skipped or choices else None


def _minimal(task: dict[str, Any], where: str, wrong: str) -> Given | None:
    said = task.get(CHOICE, "")
    chosen = said.get("choices", []) if isinstance(said, dict) else [said] if said else []
    if not isinstance(chosen, list):
        raise WinnowError(f"{wrong}: {where} has a {CHOICE} that is no list of choices.")
    choices = [str(one) for one in chosen]
    row = _row(task, task, task.get("annotator"), choices, skipped=False)
    return _given(where, row, task, str(task["annotation_id"])) if choices else None


def _choices(results: list[Any]) -> list[str]:
    """All that was chosen: in answer to our own question, where that is among several."""
    found = [one for one in results if isinstance(one, dict) and one.get("type") == "choices"]
    own = [one for one in found if one.get("from_name") == CHOICE]
    values = [one.get("value") for one in own or found]
    lists = [one.get("choices") for one in values if isinstance(one, dict)]
    return [str(choice) for one in lists if isinstance(one, list) for choice in one]


def _is_foreign(annotation: dict[str, Any]) -> bool:
    """Whether it says something, though no choice."""
    return bool(annotation.get("result")) and not annotation.get("was_cancelled")


def _row(data: dict[str, Any], one: dict[str, Any], who: Any, choices: list[str], *, skipped: bool) -> dict[str, str]:
    name = who.get("email") or who.get("id") if isinstance(who, dict) else who
    seconds = one.get("lead_time")
    return {
        "id": identity_of(data),
        "label": ", ".join(choices),
        "annotator": name if isinstance(name, str) else f"{TOOL}:{name}",
        "source": "person",
        "cost": f"{seconds:.1f}" if isinstance(seconds, int | float) and 0 <= seconds < LONGEST else "",
        "at": str(one.get("updated_at") or one.get("created_at") or ""),
        "note": PASSES[0] if skipped else "",
    }


def _given(where: str, row: dict[str, str], data: dict[str, Any], number: str) -> Given:
    note = "; ".join(part for part in (row["note"], f"{TOOL}:{number}" if number else "") if part)
    return Given(where, row | {"note": note}, str(data.get("sha256", "")), f"{TOOL}:{number}" if number else "")


def _mark(task: dict[str, Any]) -> str:
    """Tells a task from those of other projects and servers, which number theirs alike; nothing where it has no date.

    A server's address is no part of it: it may be reached by several.
    """
    try:
        made = datetime.fromisoformat(str(task["created_at"])).astimezone(UTC)
    except (KeyError, ValueError):
        return ""
    return hashlib.sha256(f"{task.get('id')} {made.isoformat()}".encode()).hexdigest()[:8]
