"""`winnow label`: the page to label on, served on this machine until it is stopped."""

import sys
from pathlib import Path
from typing import Any

import numpy.typing as npt

from components.core.errors import WinnowError
from components.core.lock import held, locked
from components.datasets.ledger import amend, read_ledger
from components.datasets.sample_store import open_samples
from components.modalities import build_modality
from pipelines.labeling.app import application
from pipelines.labeling.batch import open_batch
from pipelines.labeling.desk import Desk
from pipelines.labeling.places import LEDGER, SAMPLES
from pipelines.labeling.project import open_project
from pipelines.labeling.secret_word import secret_word
from pipelines.labeling.sharing import Sharing
from pipelines.local_server import HOST, REST, answer, listening
from pipelines.session import LOCK

TOKEN = Path(".winnow/label_token")
DESK = Path(".winnow/label.lock")
_TAKEN = "another `winnow label` (process {pid}) asks in this folder: open its page, or stop it."


def serve(*, test: bool, count: int, port: int, sharing: Sharing, then: bool = False) -> None:
    """Ask until stopped, which raises KeyboardInterrupt; standard output names the page.

    then: end too when every question has an answer.
    Raises WinnowError where there is nothing to ask, and where another one asks already: it would hand out the same.
    """
    print("Looking up what to ask ...", flush=True)
    project = open_project()
    amend(LEDGER, lambda _: [])  # a ledger that nobody can write to is told before people begin
    batch = open_batch(project, read_ledger(LEDGER), test=test, count=count)
    store = open_samples(SAMPLES)
    modality = build_modality(store.about.modality)
    place = {one: row for row, one in enumerate(project.samples["id"])}

    def record(identity: str) -> npt.NDArray[Any]:
        if identity not in place:
            raise WinnowError("there is no such sample: load the page anew.")
        return store.record(place[identity])

    begun = len(read_ledger(LEDGER))
    desk, token = Desk(LEDGER, batch, project, sharing), secret_word(TOKEN)
    page = {"classes": project.classes, "noun": modality.noun[0], "said": batch.said, "total": len(batch.questions)}
    page |= {"then": REST if then else 0}
    app = application(desk, page, modality, record, token)
    with locked(DESK, wait=0, busy=_TAKEN), listening(port) as door:
        if held(LOCK):
            print("winnow: a run is at work here; an answer while it reads the ledger stops it.", file=sys.stderr)
        count = len(batch.questions)
        print(f"{count} {'question' if count == 1 else 'questions'}, {batch.said}; round {batch.round} of the ledger.")
        print(f"Answer on http://{HOST}:{door.getsockname()[1]}/{token}/ ({_ends(then)})", flush=True)
        try:
            answer(app, door, desk.is_over if then else None)
        finally:
            print(f"\n{_closing(len(read_ledger(LEDGER)) - begun)}", file=sys.stderr)


def _ends(then: bool) -> str:
    """How the sitting ends."""
    return (
        f"the next run starts {REST:.0f} s after the last answer; Ctrl-C ends it without" if then else "Ctrl-C ends it"
    )


def _closing(rows: int) -> str:
    """What there is now, and what goes on from there."""
    kept = f"{rows} {'answer' if rows == 1 else 'answers'} of this sitting {'is' if rows == 1 else 'are'} in {LEDGER}"
    return f"{kept}. `winnow label` goes on asking; `winnow repro` learns from them."
