"""The questions of a sitting: a person's choice, what `select` chose, the first ones of all, or test samples."""

import csv
from dataclasses import dataclass

import pandas as pd

from components.core.config import read_params
from components.core.errors import WinnowError
from components.core.seeds import numpy_generator
from components.core.spreadsheet import plain
from components.core.stage_settings import top_settings
from components.datasets.manifest import rows_of
from components.datasets.oracle import read_oracle
from pipelines.labeling.chosen import chosen
from pipelines.labeling.first_questions import first_questions
from pipelines.labeling.places import ORACLE, QUERIES
from pipelines.labeling.project import Project
from pipelines.labeling.rounds import round_of
from pipelines.labeling.standing import answers_that_stand


@dataclass(frozen=True)
class Question:
    """A sample to name; guess, confidence (0..1): what the model says, where there is one."""

    id: str
    guess: str = ""
    confidence: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Batch:
    """questions: the most useful first; said: where they come from; round: what their answers' rows say; split: whose
    samples they are."""

    questions: list[Question]
    said: str
    round: int
    split: str


def open_batch(project: Project, ledger: pd.DataFrame, *, test: bool, count: int) -> Batch:
    """What to ask next. test: samples of the test split whose class nobody knows, drawn at random.

    count: questions, where `select` has not chosen them. Raises WinnowError where there is nothing to ask, and where
    what the stages left is of other samples.
    """
    if test:
        questions, said = _of_test(project, ledger, count), "drawn at random from the test split"
    elif ids := chosen(ledger):
        questions, said = [Question(one) for one in ids], "chosen by a person on the map"
    elif QUERIES.is_file():
        questions, said = _selected(project), "chosen by the model's doubts"
    else:
        ids = first_questions(project, ledger, count)
        questions, said = [Question(one) for one in ids], "chosen by label.first, as there is no model yet"
    return Batch(questions, said, round_of(ledger, {one.id for one in questions}), "test" if test else "train")


def _selected(project: Project) -> list[Question]:
    with QUERIES.open(encoding="utf-8", newline="") as file:
        rows = [{name: plain(text) for name, text in row.items()} for row in csv.DictReader(file)]
    if not rows:
        raise WinnowError("every training sample has a label, so there is nothing left to ask.")
    rows_of([row["id"] for row in rows], project.samples["id"], str(QUERIES))
    return [Question(row["id"], row["guess"], float(row["confidence"]), row["reason"]) for row in rows]


def _of_test(project: Project, ledger: pd.DataFrame, count: int) -> list[Question]:
    """In an order that answers do not change, so that each sitting goes on where the last one ended."""
    known = set(read_oracle(ORACLE)["id"])
    open_ = [one for one in project.samples["id"] if one in project.of_split("test") and one not in known]
    if not open_:
        raise WinnowError("the source knows the class of every test sample, so there is none to ask about.")
    order = numpy_generator(top_settings(read_params()).seed, "label", "test").permutation(len(open_))
    answered = set(answers_that_stand(ledger)["id"])
    drawn = [open_[place] for place in order.tolist()]
    done = sum(one in answered for one in drawn)
    return [Question(one) for one in drawn[: done + count]]
