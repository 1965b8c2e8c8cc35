"""`winnow label push`: the open questions as tasks on a Label Studio server, none of them twice."""

from components.datasets.ledger import read_ledger
from pipelines.labeling.batch import open_batch
from pipelines.labeling.label_studio import LabelStudio, label_studio
from pipelines.labeling.label_studio_answers import identity_of
from pipelines.labeling.label_studio_project import bring_up_to_date, find_project, make_project
from pipelines.labeling.places import LEDGER
from pipelines.labeling.project import open_project
from pipelines.labeling.standing import answers_that_stand
from pipelines.labeling.tasks import tasks_of

TOGETHER = 50  # tasks in one request


def push_questions(*, number: int | None, people: int | None, test: bool, count: int) -> str:
    """Put the questions without an answer there, and say where they are.

    number: of a project that is there; without one this folder has its own, which is made. people: by how many each
    question is to be answered there (None: by one, or as the project has it). Pushed again, after a failure too, only
    those join that are not there yet. Raises WinnowError as `open_batch`, `label_studio` and `LabelStudio` do.
    """
    with label_studio() as server:
        project, ledger = open_project(), read_ledger(LEDGER)
        batch, answered = open_batch(project, ledger, test=test, count=count), set(answers_that_stand(ledger)["id"])
        tasks, configuration = tasks_of(project, [one for one in batch.questions if one.id not in answered])
        there = find_project(server, number)
        if there is None:
            there = make_project(server, configuration, people)
        else:
            bring_up_to_date(server, there, configuration, project.classes, people, own=number is None)
        known = _known(server, there["id"])
        new = [one for one in tasks if one["data"]["sample_id"] not in known]
        for first in range(0, len(new), TOGETHER):
            server.send("POST", f"/api/projects/{there['id']}/import", new[first : first + TOGETHER])
    kept = f"; {len(tasks) - len(new)} were there already" if len(new) < len(tasks) else ""
    return (
        f"{len(new)} {'task' if len(new) == 1 else 'tasks'} joined project {there['id']} of Label Studio, "
        f"'{there['title']}'{kept}; when people have answered, `winnow label pull`."
    )


def _known(server: LabelStudio, project: int) -> set[str]:
    """Ids of the samples that a project asks about."""
    return {identity_of(task.get("data") or {}) for task in server.tasks(project, answers=False)}
