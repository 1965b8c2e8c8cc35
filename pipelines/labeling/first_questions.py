"""The first questions of all, by `label.first`: kept until they are answered, so that two sittings ask the same."""

import json
from pathlib import Path

import pandas as pd

from components.core.config import read_params
from components.core.errors import WinnowError
from components.core.files import read_json, sha256, write_text
from components.core.seeds import torch_generator
from components.core.stage_settings import stage_settings
from components.datasets.manifest import positions_of
from components.datasets.revealed import PLACE, read_revealed
from components.datasets.vectors import open_vectors
from pipelines.labeling.places import MANIFEST, VECTORS
from pipelines.labeling.project import Project
from pipelines.labeling.standing import answers_that_stand

KEPT = Path(".winnow/first_questions.json")


def first_questions(project: Project, ledger: pd.DataFrame, count: int) -> list[str]:
    """Ids of training samples, the most useful first. Raises WinnowError where they have no vectors yet, or all have
    an answer."""
    answered = set(answers_that_stand(ledger)["id"]) | set(read_revealed(Path(PLACE)))
    digest = sha256(MANIFEST)
    kept = read_json(KEPT) if KEPT.is_file() else {}
    if kept.get("manifest") == digest and not answered.issuperset(kept["ids"]):
        return list(kept["ids"])
    ids = _chosen(project, answered, count)
    write_text(KEPT, json.dumps({"manifest": digest, "ids": ids}) + "\n")
    return ids


def _chosen(project: Project, answered: set[str], count: int) -> list[str]:
    from components.methods.contracts import Pool
    from components.stages.label import first_strategy

    if not VECTORS.is_file():
        raise WinnowError(f"{VECTORS} is missing: run `dvc repro embed`, by which the first questions are chosen.")
    params = stage_settings("label", read_params())
    strategy = first_strategy(params.first)
    every, train = project.samples["id"], positions_of(project.samples, "train")
    taken = every.iloc[train].isin(answered).to_numpy()
    if taken.all():
        raise WinnowError("every training sample has an answer, so there is nothing left to ask.")
    vectors = open_vectors(VECTORS)
    if len(vectors) != len(every):
        raise WinnowError(f"{VECTORS} is of other samples than {MANIFEST}: run `dvc repro embed`, which makes it anew.")
    pool = Pool(vectors, train[taken], train[~taken])
    chosen = strategy.query(pool, min(count, int((~taken).sum())), torch_generator(params.seed, "label"))
    return [str(one) for one in every.iloc[chosen]]
