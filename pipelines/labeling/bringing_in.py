"""Answers, wherever they come from, into the ledger: all or none, none of them twice, and told what became of each."""

import pandas as pd

from components.core.terminal import short
from components.datasets.ledger import PASSES, Row, amend, in_force, read_ledger
from pipelines.labeling.given import Answers
from pipelines.labeling.joining import Joining
from pipelines.labeling.places import LEDGER
from pipelines.labeling.possible import Possible
from pipelines.labeling.project import Project

COUNTED = {
    "repeated": "beside another one by the same person about the same sample: the latest counts",
    "known": "in the ledger already",
    "older": "older than what the same person said since: left out",
    "withdrawn": "taken back",
    "passed": f'"{PASSES[0]}", "{PASSES[1]}" or skipped: no label, and not asked again',
}
_NAMED = 3


def bring_in(project: Project, answers: Answers, *, test: bool, whence: str, cure: str) -> str:
    """Bring the answers in, and say in sentences what became of all of them.

    test: those about test samples alone, where else they are left out. whence: what they came out of; cure: what a
    person does where one of them cannot be. Raises WinnowError for these; then nothing is written.
    """
    split = "test" if test else "train"
    possible, left_out = Possible(project, split).sifted(answers.given, whence=whence, cure=cure)
    joined = list[Joining]()

    def decide(ledger: pd.DataFrame) -> list[Row]:
        joined.append(Joining(ledger, possible))
        joined[0].take_back(answers, project.of_split(split))
        return joined[0].rows

    amend(LEDGER, decide)
    labels = sum(bool(row["label"]) for row in joined[0].rows)
    lines = [f"{whence}: {labels:,} {'label' if labels == 1 else 'labels'} joined {LEDGER}.", *_told(joined[0])]
    if left_out:
        other, way = ("test", "--test takes those alone") if split == "train" else ("training", "without --test")
        lines.append(f"  {left_out} about {other} samples: left out ({way}).")
    if answers.unanswered:
        lines.append(f"  {answers.unanswered} without an answer.")
    if answers.foreign:
        lines.append(f"  {answers.foreign} that say something else than one of the choices: left out.")
    if answers.unread:
        lines.append(f"  Columns that were not read: {', '.join(answers.unread)}.")
    return "\n".join(lines + _disagreeing({one.row["id"] for one in possible}))


def _told(joined: Joining) -> list[str]:
    return [f"  {joined.counts[kind]} {said}." for kind, said in COUNTED.items() if joined.counts[kind]]


def _disagreeing(ids: set[str]) -> list[str]:
    rows = in_force(read_ledger(LEDGER))
    names = rows[rows["id"].isin(ids)].groupby("id")["label"].nunique()
    odd = sorted(names.index[names > 1])
    if not odd:
        return []
    shown = ", ".join(short(one) for one in odd[:_NAMED]) + (", ..." if len(odd) > _NAMED else "")
    return [f"  {len(odd)} of these samples have labels that disagree ({shown}): label.aggregation weighs them."]
