"""`winnow label export`: the open questions as a CSV file to fill in, or as tasks for Label Studio."""

import json
from pathlib import Path

from components.core.errors import WinnowError
from components.core.files import write_text
from components.core.spreadsheet import to_csv
from components.datasets.ledger import read_ledger
from components.datasets.sample_store import open_samples
from components.modalities import build_modality
from pipelines.labeling.batch import Question, open_batch
from pipelines.labeling.places import LEDGER, SAMPLES
from pipelines.labeling.project import Project, open_project
from pipelines.labeling.standing import answers_that_stand
from pipelines.labeling.tasks import tasks_of

COLUMNS = ("id", "label", "annotator", "sha256", "path", "guess", "confidence")


def export_questions(path: Path, *, test: bool, count: int) -> str:
    """Write the questions without an answer so far, and say what to do with the file.

    Raises WinnowError for a file of another kind, for one that is there already, and as `open_batch` does.
    """
    if path.suffix not in (".csv", ".json"):
        raise WinnowError(f"{path} is neither .csv (to fill in) nor .json (for Label Studio): give it such a name.")
    for place in (path, *([path.with_suffix(".xml")] if path.suffix == ".json" else [])):
        if place.exists():
            raise WinnowError(f"{place} is there already, and may hold answers: remove it, or name another file.")
    project, ledger = open_project(), read_ledger(LEDGER)
    batch, answered = open_batch(project, ledger, test=test, count=count), set(answers_that_stand(ledger)["id"])
    open_ = [one for one in batch.questions if one.id not in answered]
    if path.suffix == ".json":
        return _tasks(path, project, open_)
    facts, store = project.samples.set_index("id")[["sha256", "path"]], open_samples(SAMPLES)
    modality, row_of = build_modality(store.about.modality), {one: row for row, one in enumerate(project.samples["id"])}
    sure = {one.id: (one.guess, f"{one.confidence:.6f}" if one.guess else "") for one in open_}
    rows = [[one.id, "", "", *facts.loc[one.id], *sure[one.id]] for one in open_]
    if modality.typed:  # it can be read where it is answered
        said = (modality.to_file(store.record(row_of[one.id])) for one in open_)
        rows = [[*row, content.decode("utf-8", "replace")] for row, content in zip(rows, said, strict=True)]
    write_text(path, to_csv((*COLUMNS, "sample") if modality.typed else COLUMNS, rows))
    return f"{path}: {len(open_)} questions; fill in label and annotator, then `winnow label import {path}`."


def _tasks(path: Path, project: Project, questions: list[Question]) -> str:
    tasks, configuration = tasks_of(project, questions)
    config = path.with_suffix(".xml")
    write_text(config, configuration)
    write_text(path, json.dumps(tasks, indent=2, sort_keys=True) + "\n")
    return (
        f"{path}: {len(tasks)} tasks for a project of Label Studio with the labeling configuration {config}; what it "
        "exports as JSON or JSON-MIN `winnow label import` takes."
    )
