"""Questions that a person chose on the map: asked before all others, until they have answers."""

import json
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from components.core.errors import WinnowError
from components.core.files import read_json, sha256, write_text
from components.datasets.ledger import read_ledger
from pipelines.labeling.places import LEDGER, MANIFEST
from pipelines.labeling.project import Project
from pipelines.labeling.standing import answers_that_stand

KEPT = Path(".winnow/chosen_questions.json")


def choose(project: Project, ids: Collection[str]) -> str:
    """Ask about these next, and say what becomes of them: test samples and those with an answer are left out.

    Raises WinnowError for ids that are not there, and where none is left.
    """
    every, train = set(project.samples["id"]), project.of_split("train")
    answered = set(answers_that_stand(read_ledger(LEDGER))["id"])
    if not every.issuperset(ids):
        raise WinnowError("the page is of other samples than there are now: load it anew.")
    asked = [one for one in ids if one in train and one not in answered]
    known, test = sum(one in answered and one in train for one in ids), sum(one not in train for one in ids)
    left = [f"{known} have an answer"] * bool(known) + [f"{test} are test samples"] * bool(test)
    if not asked:
        raise WinnowError(
            f"none of these can be asked about ({', '.join(left) or 'nothing is selected'}): select others."
        )
    write_text(KEPT, json.dumps({"manifest": sha256(MANIFEST), "ids": asked}) + "\n")
    also = f" {'; '.join(left)}: left out." if left else ""
    return f"`winnow label` asks about {len(asked)} of these next (start it anew if it is running).{also}"


def chosen(ledger: pd.DataFrame) -> list[str]:
    """What was chosen, while any of it has no answer and the samples are the same; else nothing."""
    kept = read_json(KEPT) if KEPT.is_file() else {}
    if not kept or kept["manifest"] != sha256(MANIFEST):
        return []
    ids = [str(one) for one in kept["ids"]]
    return [] if set(answers_that_stand(ledger)["id"]).issuperset(ids) else ids
