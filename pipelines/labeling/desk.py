"""Who is asked what: each question to one person at a time, every answer on the disk before it is acknowledged."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import Field

from components.core.config import Config
from components.core.errors import WinnowError
from components.core.terminal import short
from components.datasets.ledger import AGAIN, UNDONE, Row, amend, read_ledger
from components.datasets.names import normal, unprintable
from pipelines.labeling.answered import Answered, is_again
from pipelines.labeling.batch import Batch, Question
from pipelines.labeling.project import Project
from pipelines.labeling.sharing import Sharing

HELD = 600.0  # seconds that a question is kept for the page that shows it
REST = 8  # answers of a person between a question and the same one again
LONGEST = 60  # letters of a name


class Seat(Config):
    """A browser's page: whose it is, and which of that person's pages."""

    who: str
    tab: str = Field("", max_length=64)

    @property
    def name(self) -> str:
        """The annotator. Raises WinnowError for what is no name."""
        name = normal(self.who)
        if not name or len(name) > LONGEST or unprintable(name):
            raise WinnowError(f"a name has 1 to {LONGEST} letters that can be seen: type yours anew.")
        return name


class Answer(Seat):
    """label: one of the classes; or passed: why there is none. seconds: that it took; again: it was asked before."""

    id: str
    label: str = ""
    passed: Literal["", "cannot tell", "none of these"] = ""
    seconds: float = Field(0, ge=0, le=3600)
    again: bool = False


@dataclass(frozen=True)
class Asked:
    """question: the next one, None where there is none for this person; again: this person has answered it before.

    done: this person's answers of the batch; open: questions of it still to answer, this one included; held: open ones
    that only others are at; last: id of this person's last answer, which can be undone.
    """

    question: Question | None
    again: bool
    done: int
    open: int
    held: int
    last: str


class Desk:
    """The questions of a batch, handed out to people, and what they answer. `clock` counts seconds.

    Who is at which question is kept in memory; all else is in the ledger, so that a new desk goes on where one died.
    """

    def __init__(
        self,
        ledger: Path,
        batch: Batch,
        project: Project,
        sharing: Sharing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._batch, self._sharing, self._clock = ledger, batch, sharing, clock
        self._classes, self._about = frozenset(project.classes), project.of_split(batch.split)
        self._questions = {one.id: one for one in batch.questions}
        self._seats = dict[str, dict[tuple[str, str], float]]()  # by id, who looks at it on which page, and since when
        self._later = dict[str, list[str]]()  # by person, ids that were skipped

    def ask(self, seat: Seat, first: str = "") -> Asked:
        """The next question for this page, that of id `first` if it is open; it is kept for this page for a while."""
        who, state = seat.name, Answered(read_ledger(self._ledger), self._about)
        mine, open_ = state.answers(who), self._open(who, state)
        free = [one for one in open_ if self._is_free(seat, state, one)]
        done = int(mine["id"].isin(list(self._questions)).sum())
        given = mine.loc[mine["note"] != UNDONE, "id"]
        last = str(given.iloc[-1]) if len(given) else ""
        self._leave(seat)
        chosen = first if first in free else ""
        again = "" if chosen else (first if state.row(who, first) is not None else self._due(seat, state, mine))
        chosen = again or chosen or next(iter(free), "")
        if chosen:
            self._seats.setdefault(chosen, {})[who, seat.tab] = self._clock()
        question = self._questions.get(chosen, Question(chosen)) if chosen else None
        return Asked(question, bool(again), done, len(open_), len(open_) - len(free), last)

    def is_over(self) -> bool:
        """Whether every question of the batch has an answer, and nobody looks at one."""
        people, now = Answered(read_ledger(self._ledger), self._about).people, self._clock()
        looked_at = any(now - then < HELD for since in list(self._seats.values()) for then in list(since.values()))
        return not looked_at and all(people.get(one) for one in self._questions)

    def answer(self, said: Answer) -> None:
        """Put the answer into the ledger. One that stands there already, from a page whose thanks got lost, is not put
        there twice. Raises WinnowError for one that cannot be, and for another one by the same person."""
        if bool(said.label) == bool(said.passed) or (said.label and said.label not in self._classes):
            raise WinnowError(f"'{short(said.label)}' is none of the classes: choose one of them.")
        if said.id not in self._about:
            raise WinnowError(f"sample '{short(said.id)}' is not asked about here: load the page anew.")
        self._amend(lambda ledger: self._row(said, Answered(ledger, self._about)))
        self._leave(said)

    def skip(self, seat: Seat, identity: str) -> None:
        """Ask this person about it after all others."""
        later = self._later.setdefault(seat.name, [])
        if identity in self._questions:
            self._later[seat.name] = [*(one for one in later if one != identity), identity]

    def undo(self, seat: Seat, identity: str) -> None:
        """Take the person's answer about a sample back: to the one before where it was asked again, else to none."""
        self._amend(lambda ledger: self._undone(seat.name, identity, Answered(ledger, self._about)))

    def _amend(self, decide: Callable[[pd.DataFrame], list[Row]]) -> None:
        """As `amend`, but a ledger that is gone is not begun anew. Raises WinnowError where it cannot be written."""
        if not self._ledger.is_file():
            read_ledger(self._ledger)
        try:
            amend(self._ledger, decide)
        except OSError as error:
            raise WinnowError(
                f"the answer was not kept, as {self._ledger} cannot be written ({error.strerror}): mend that, and "
                "answer again."
            ) from None

    def _row(self, said: Answer, state: Answered) -> list[Row]:
        stands = state.row(said.name, said.id)
        if stands is not None:
            parts = stands["note"].split("; ")
            same = stands["label"] == said.label and (not said.passed or said.passed in parts)
            if same and (not said.again or is_again(stands["note"])):
                return []
            if not said.again or is_again(stands["note"]):
                held = f"'{short(stands['label'])}'" if stands["label"] else str(stands["note"])
                raise WinnowError(f"you have answered this one on another page already ({held}): that stays.")
        note = "; ".join(part for part in (said.passed, AGAIN if said.again and stands is not None else "") if part)
        row = {"label": said.label, "note": note, "cost": round(said.seconds, 1)}
        return [self._new(state, said.name, said.id, row)]

    def _undone(self, who: str, identity: str, state: Answered) -> list[Row]:
        stands = state.row(who, identity)
        if stands is None or UNDONE in stands["note"].split("; "):
            return []
        return [self._new(state, who, identity, {"label": state.before(who, identity), "note": UNDONE})]

    def _new(self, state: Answered, who: str, identity: str, said: Row) -> Row:
        whose = {"id": identity, "annotator": who, "source": "person", "round": self._batch.round}
        return {**whose, "at": state.moment_after(who, identity), **said}

    def _open(self, who: str, state: Answered) -> list[str]:
        """Ids of questions that this person may answer, those put off last."""
        later = self._later.get(who, [])
        open_ = [
            one
            for one in self._questions
            if who not in state.people[one] and len(state.people[one]) < self._sharing.wanted(one)
        ]
        return [one for one in open_ if one not in later] + [one for one in later if one in open_]

    def _is_free(self, seat: Seat, state: Answered, identity: str) -> bool:
        """Whether nobody too many looks at it: this person on another page, or as many others as it still wants."""
        now, who = self._clock(), seat.name
        since: Mapping[tuple[str, str], float] = self._seats.get(identity, {})
        looking = {name for name, then in since.items() if now - then < HELD and name != (who, seat.tab)}
        names = {name for name, _ in looking}
        return who not in names and len(names | state.people[identity]) < self._sharing.wanted(identity)

    def _due(self, seat: Seat, state: Answered, mine: pd.DataFrame) -> str:
        """The id of an old question that is this person's turn to answer again; nothing where none is."""
        who = seat.name
        again, labels = state.asked_again(who), mine[mine["label"] != ""]
        if len(again) >= floor(self._sharing.again * len(labels)):
            return ""
        elsewhere = {
            one for one, since in self._seats.items() for name, tab in since if name == who and tab != seat.tab
        }
        old = [one for one in labels["id"].iloc[:-REST] if one not in again | elsewhere]
        return min(old, key=lambda one: self._sharing.order(who, one), default="")

    def _leave(self, seat: Seat) -> None:
        for since in self._seats.values():
            since.pop((seat.name, seat.tab), None)
