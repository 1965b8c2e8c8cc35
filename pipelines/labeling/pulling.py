"""`winnow label pull`: what people have answered on a Label Studio server, into the ledger, as from a file."""

import hashlib
from typing import Any

from components.core.errors import WinnowError
from pipelines.labeling import pulled_before
from pipelines.labeling.bringing_in import bring_in
from pipelines.labeling.label_studio import LabelStudio, label_studio
from pipelines.labeling.label_studio_answers import answers_of
from pipelines.labeling.label_studio_project import find_project
from pipelines.labeling.project import open_project


def pull_answers(*, number: int | None, test: bool) -> str:
    """Bring in the answers that changed since the last pull, and say in sentences what became of all of them.

    number: of a project; without one, this folder's own. Killed at any moment, all of them are in the ledger or none,
    and the next pull brings what is not. Raises WinnowError as `label_studio`, `LabelStudio` and `bring_in` do.
    """
    with label_studio() as server:
        project = open_project()
        there = find_project(server, number)
        if there is None:
            raise WinnowError(
                "this folder has no project on that Label Studio: `winnow label push` makes it, or name one that has "
                "tasks of `winnow label export tasks.json` with --project."
            )
        mark = f"{_mark(there)} {'test' if test else 'train'}"
        people = _people(server)
        query = pulled_before.changed_since(mark, project.classes)
        tasks = list(server.tasks(there["id"], query, answers=True))
    whence = f"project {there['id']} of Label Studio"
    answers = answers_of(tasks, f"what {whence} holds is none of its tasks", people)
    said = bring_in(project, answers, test=test, whence=whence, cure="mend or delete them there and pull again")
    if newest := max((str(task["updated_at"]) for task in tasks if task.get("updated_at")), default=""):
        pulled_before.keep(mark, newest, project.classes)
    return said


def _people(server: LabelStudio) -> dict[int, str]:
    """Addresses by number: numbers are others on another server, addresses are not."""
    said = server.get("/api/users/")
    users: list[dict[str, Any]] = said if isinstance(said, list) else (said or {}).get("results", [])
    return {int(one["id"]): str(one["email"]) for one in users if one.get("email")}


def _mark(there: dict[str, Any]) -> str:
    """Tells the project from others of its number on other servers."""
    return hashlib.sha256(f"{there['id']} {there.get('created_at')}".encode()).hexdigest()[:16]
