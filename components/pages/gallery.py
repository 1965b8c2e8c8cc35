"""The page of questions for people without the command line: a card each, a key or a click, a file of answers."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.core.files import write_text
from components.core.spreadsheet import FORMULA
from components.datasets.ledger import COLUMNS, PASSES
from components.modalities import Modality
from components.modalities.worded import Mark
from components.pages.digit_keys import digit_keys
from components.pages.shown import showing
from components.pages.templates import templates

TEMPLATE = "gallery.html.jinja"
MOST_BUTTONS = 10  # classes with a button each; with more, the likeliest ones, and a field for the others
MOST_DOUBTS = 24  # labels worth a second look on one page
Sample = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Example:
    """A labeled sample that the page shows: its class, and cosine similarity to the query."""

    sample: Sample
    label: str
    similarity: float


@dataclass(frozen=True)
class Card:
    """One question. classes: all class names with their probability, the likeliest first.

    undecided: a sentence where the model's prediction set is not one class; nearest: None where nothing is labeled;
    marks: parts of the sample that decided the guess.
    """

    id: str
    path: str
    rank: int
    reason: str
    classes: list[tuple[str, float]]
    sample: Sample
    nearest: Example | None
    undecided: str | None = None
    marks: Sequence[Mark] = ()

    @property
    def guess(self) -> str:
        """The model's likeliest class."""
        return self.classes[0][0]

    @property
    def confidence(self) -> float:
        """The probability of the guess, 0..1."""
        return self.classes[0][1]


@dataclass(frozen=True)
class Doubt:
    """A label worth a second look: the label in force and its source, and what a model that never saw it says."""

    id: str
    path: str
    sample: Sample
    given: str
    source: str
    said: str
    confidence: float


def write_gallery(
    path: Path,
    cards: list[Card],
    modality: Modality,
    *,
    doubts: Sequence[Doubt] = (),
    classes: list[str],
    strategy: str,
    note: str = "",
    pool: int | None,
    labels: int,
) -> None:
    """Write one self-contained page; every text from the data is escaped, and nothing is loaded from elsewhere.

    Of the doubts the first `MOST_DOUBTS` are shown. note: why the strategy asks as it does, where it had a choice;
    pool: unlabeled samples chosen from, None where the pictures were made; labels: labels in force.
    Without cards the page says: exhausted.
    """
    page = (
        templates()
        .get_template(TEMPLATE)
        .render(
            **showing(modality),
            cards=cards,
            doubts=doubts[:MOST_DOUBTS],
            more_doubts=max(0, len(doubts) - MOST_DOUBTS),
            choices={card.id: _choices(card, classes) for card in cards},
            keys=dict(zip(classes, digit_keys(classes), strict=True)) if len(classes) <= MOST_BUTTONS else {},
            passes=PASSES,
            run=_run([one.id for one in cards], [one.id for one in doubts]),
            classes=classes,
            formula=FORMULA,
            columns=",".join(COLUMNS),
            typed=len(classes) > MOST_BUTTONS,
            strategy=strategy,
            note=note,
            pool=pool,
            labels=labels,
        )
    )
    write_text(path, page + "\n")


def _choices(card: Card, classes: list[str]) -> list[str]:
    """Classes with a button, in their usual order: all, or of many the likeliest, whose order would tell the guess."""
    return classes if len(classes) <= MOST_BUTTONS else sorted(name for name, _ in card.classes[:MOST_BUTTONS])


def _run(*ids: list[str]) -> str:
    """What the browser keeps the answers under: another run asks otherwise."""
    return hashlib.sha256(repr(ids).encode()).hexdigest()[:16]
