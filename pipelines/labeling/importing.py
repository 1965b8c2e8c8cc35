"""`winnow label import`: the answers of a file into the ledger, all or none, and none of them twice."""

import codecs
from pathlib import Path

import pandas as pd

from components.core.errors import WinnowError
from components.core.terminal import short
from components.datasets.ledger import PASSES, Row, amend, in_force, read_ledger
from pipelines.labeling.csv_answers import read_csv_answers
from pipelines.labeling.given import Answers
from pipelines.labeling.joining import Joining
from pipelines.labeling.label_studio_answers import read_label_studio
from pipelines.labeling.places import LEDGER
from pipelines.labeling.possible import Possible
from pipelines.labeling.project import open_project

MOST = 128 * 2**20  # bytes of a file, which is held in memory several times
COUNTED = {
    "repeated": "beside another one by the same person about the same sample: the latest counts",
    "known": "in the ledger already",
    "older": "older than what the same person said since: left out",
    "withdrawn": "taken back",
    "passed": f'"{PASSES[0]}", "{PASSES[1]}" or skipped: no label, and not asked again',
}
_NAMED = 3


def import_answers(path: Path, *, annotator: str, test: bool) -> str:
    """Bring the answers in, and say in sentences what became of all of them.

    annotator: who gave those that do not say. test: those about test samples alone, where else they are left out.
    Raises WinnowError for a file that cannot be read whole, and where any answer cannot be; then nothing is written.
    """
    project, answers = open_project(), _read(path, annotator)
    split = "test" if test else "train"
    possible, left_out = Possible(project, split).sifted(path, answers.given)
    joined = list[Joining]()

    def decide(ledger: pd.DataFrame) -> list[Row]:
        joined.append(Joining(ledger, possible))
        joined[0].take_back(answers, project.of_split(split))
        return joined[0].rows

    amend(LEDGER, decide)
    labels = sum(bool(row["label"]) for row in joined[0].rows)
    lines = [f"{path}: {labels:,} {'label' if labels == 1 else 'labels'} joined {LEDGER}.", *_told(joined[0])]
    if left_out:
        other, way = ("test", "--test takes those alone") if split == "train" else ("training", "without --test")
        lines.append(f"  {left_out} about {other} samples: left out ({way}).")
    if answers.unanswered:
        lines.append(f"  {answers.unanswered} without an answer.")
    if answers.unread:
        lines.append(f"  Columns that were not read: {', '.join(answers.unread)}.")
    return "\n".join(lines + _disagreeing({one.row["id"] for one in possible}))


def _read(path: Path, annotator: str) -> Answers:
    if not path.is_file():
        raise WinnowError(f"{path} is no file: name one that the gallery, a spreadsheet or Label Studio saved.")
    if (size := path.stat().st_size) > MOST:
        raise WinnowError(
            f"{path} has {size / 2**20:,.0f} MiB, and {MOST // 2**20} are read at most: export it in parts, such as "
            "one project or one page of tasks at a time."
        )
    content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    if content.lstrip()[:1] in (b"[", b"{"):
        return read_label_studio(path, content)
    return read_csv_answers(path, content, annotator)


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
