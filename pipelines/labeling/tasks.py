"""Open questions as tasks for Label Studio, and the labeling configuration of their project."""

from typing import Any

from components.datasets.sample_store import open_samples
from components.modalities import build_modality
from components.pages.tasks import labeling_config, labeling_task
from pipelines.labeling.batch import Question
from pipelines.labeling.places import SAMPLES
from pipelines.labeling.project import Project


def tasks_of(project: Project, questions: list[Question]) -> tuple[list[dict[str, Any]], str]:
    """A task for each question, in their order, and the configuration, XML."""
    store = open_samples(SAMPLES)
    modality = build_modality(store.about.modality)
    place = {one: row for row, one in enumerate(project.samples["id"])}
    tasks = []
    for one in questions:
        facts = project.samples.iloc[place[one.id]]
        sample = (one.id, str(facts["sha256"]), str(facts["path"]))
        tasks.append(labeling_task(modality, store.record(place[one.id]), sample, one.guess, one.confidence))
    return tasks, labeling_config(modality, store.record(0), project.classes)
