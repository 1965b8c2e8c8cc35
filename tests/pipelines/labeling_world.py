"""A small project in the current folder that people can be asked about: three classes, 48 samples, 20 questions."""

from pathlib import Path

import numpy as np
import pandas as pd

from components.core.spreadsheet import to_csv
from components.datasets.ledger import in_force, read_ledger
from components.datasets.oracle import write_oracle
from pipelines.labeling.batch import open_batch
from pipelines.labeling.desk import Answer, Asked, Desk, Seat
from pipelines.labeling.places import LEDGER, MANIFEST, ORACLE, QUERIES, SAMPLES, VECTORS
from pipelines.labeling.project import open_project
from pipelines.labeling.sharing import Sharing
from tests.pictures import save_pictures, write_manifest

IDS = [f"{number:016x}" for number in range(48)]
TRAIN, TEST = IDS[:40], IDS[40:]
ALONE = Sharing(second=0, again=0)
HEADER = "id,label,annotator,source,round,cost,at,note\n"


def build(*, queries: bool = True) -> None:
    """Write what ingest and embed leave; queries: what select leaves too."""
    for path in (MANIFEST, LEDGER, VECTORS, QUERIES):
        path.parent.mkdir(parents=True)
    Path("params.yaml").write_text("label: {classes: [ant, bee, cow]}\n")
    LEDGER.write_text(HEADER)
    split = np.where(np.isin(IDS, TEST), "test", "train")
    facts = {"path": [f"p/{one}.png" for one in IDS], "group": IDS, "width": 8, "height": 8, "mode": "L", "bytes": 1}
    write_manifest(MANIFEST, pd.DataFrame({"id": IDS, "split": split, "sha256": [one * 4 for one in IDS], **facts}))
    write_oracle(ORACLE, pd.DataFrame({"id": [], "class": []}, dtype="str"), [])
    generator = np.random.default_rng(0)
    save_pictures(SAMPLES, generator.integers(0, 256, (48, 1, 8, 8), dtype=np.uint8))
    np.save(VECTORS, generator.normal(size=(48, 4)).astype(np.float32))
    if queries:
        rows = [(one, f"p/{one}.png", rank, "bee", "0.4", "Why.") for rank, one in enumerate(TRAIN[:20], 1)]
        QUERIES.write_text(to_csv(("id", "path", "rank", "guess", "confidence", "reason"), rows))


def desk(sharing: Sharing = ALONE, *, test: bool = False, **others: object) -> Desk:
    """A desk at the ledger as it stands, as a new server would make it."""
    project = open_project()
    return Desk(LEDGER, open_batch(project, read_ledger(LEDGER), test=test, count=20), project, sharing, **others)


def seat(who: str = "mira", tab: str = "1") -> Seat:
    return Seat(who=who, tab=tab)


def say(place: Desk, asked: Asked, label: str = "ant", who: str = "mira", tab: str = "1", **others: object) -> Asked:
    """Answer what is asked, and be asked the next one."""
    assert asked.question is not None
    place.answer(Answer(who=who, tab=tab, id=asked.question.id, label=label, again=asked.again, **others))
    return place.ask(seat(who, tab))


def counted(who: str = "mira") -> dict[str, str]:
    """That annotator's labels in force, by id."""
    rows = in_force(read_ledger(LEDGER))
    return dict(rows.loc[rows["annotator"] == who, ["id", "label"]].values)
