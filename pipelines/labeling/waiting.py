"""Waiting for people: until the open questions have answers, wherever these are given, or the time is up."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from components.core.errors import Unavailable
from components.datasets.ledger import read_ledger
from pipelines.labeling import label_studio_project
from pipelines.labeling.batch import open_batch
from pipelines.labeling.label_studio import KEY, URL
from pipelines.labeling.places import LEDGER
from pipelines.labeling.project import open_project
from pipelines.labeling.pulling import pull_answers
from pipelines.labeling.standing import answers_that_stand

EVERY = 60.0  # seconds between two looks
FIRST = 20  # questions, where no model has chosen them


@dataclass(frozen=True)
class Waited:
    """questions: how many there were without an answer when the waiting began; answered: how many of them have one."""

    questions: int
    answered: int

    @property
    def said(self) -> str:
        """Both, in words."""
        left = self.questions - self.answered
        return f"{self.answered} of {self.questions} questions answered" + (f", {left} left open" if left else "")


def wait_for_answers(
    hours: float,
    say: Callable[[str], object],
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Waited:
    """Wait until people have answered every open question, on the page or by files; or so many hours.

    Where this folder has pushed to a Label Studio that the environment names, it is pulled from at each look. say: is
    told what comes, a server that is away too. Raises WinnowError where there is nothing to ask, and as `pull_answers`
    does.
    """
    begun, asked = clock(), _open(set())
    remote = label_studio_project.KEPT.is_file() and all(os.environ.get(name) for name in (URL, KEY))
    say(f"{len(asked)} questions wait for people, for {hours:g} hours at most.")
    answered = 0
    while answered < len(asked):
        if remote:
            _pull(say)
        found = len(asked) - len(_open(asked))
        if found > answered:
            answered = found
            say(f"{answered} of {len(asked)} have an answer.")
        left = hours * 3600 - (clock() - begun)
        if answered == len(asked) or left <= 0:
            break
        sleep(min(EVERY, left))
    return Waited(len(asked), answered)


def _pull(say: Callable[[str], object]) -> None:
    try:
        pull_answers(number=None, test=False)
    except Unavailable as error:  # it may be back at the next look
        say(str(error))


def _open(asked: set[str]) -> set[str]:
    """Of these questions, or without any of those of today, the ones without an answer."""
    ledger = read_ledger(LEDGER)
    ids = asked or {one.id for one in open_batch(open_project(), ledger, test=False, count=FIRST).questions}
    return ids - set(answers_that_stand(ledger)["id"])
