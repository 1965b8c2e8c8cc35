"""The page of `winnow diff`: what one version wins over another and what it loses, sample by sample."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from components.modalities import Modality
from components.pages import charts
from components.pages.shown import showing
from components.pages.templates import templates

TEMPLATE = "difference.html.jinja"
MOST = 120  # samples shown of each part
WON, LOST, BOTH_WRONG = "won", "lost", "both wrong"


@dataclass(frozen=True)
class Said:
    """What a version says to a sample: its class and probability."""

    name: str
    confidence: float


@dataclass(frozen=True)
class Pair:
    """A test sample on which not both versions are right. how: WON (only the second is right), LOST or BOTH_WRONG."""

    id: str
    path: str
    record: npt.NDArray[Any]
    actual: str
    how: str
    first: Said
    second: Said


@dataclass(frozen=True)
class Summary:
    """The counts of all `samples`, and accuracy of second minus first with its paired interval at `confidence`.

    gate: what the second's gate said, where it was against the first; agrees: by these very figures.
    """

    first: str
    second: str
    samples: int
    both_right: int
    both_wrong: int
    won: int
    lost: int
    difference: tuple[float, float, float]
    confidence: float
    accuracies: tuple[float, float]
    gate: str = ""
    agrees: bool = True


def render(summary: Summary, pairs: Sequence[Pair], modality: Modality) -> str:
    """The page as text; every text from the data escaped, nothing loaded from elsewhere."""
    environment = templates()
    environment.filters["percent"] = lambda share: f"{100 * share:.1f} %"
    environment.filters["points"] = lambda share: f"{100 * share:+.2f}".replace("-", "−")
    difference, low, high = summary.difference
    return (
        environment.get_template(TEMPLATE).render(
            **showing(modality),
            about=summary,
            difference=difference,
            low=low,
            high=high,
            parts=[_part(how, pairs) for how in (WON, LOST, BOTH_WRONG)],
            classes=_classes(pairs),
            chart=charts.gains([(summary.second, difference, low, high)]),
        )
        + "\n"
    )


def _part(how: str, pairs: Sequence[Pair]) -> dict[str, Any]:
    mine = [pair for pair in pairs if pair.how == how]
    surest = sorted(mine, key=lambda pair: (-(pair.first if how == LOST else pair.second).confidence, pair.id))
    return {"how": how, "count": len(mine), "pairs": surest[:MOST]}


def _classes(pairs: Sequence[Pair]) -> list[tuple[str, int, int]]:
    """Of each class: how many of its samples were won and lost, those with most change first."""
    won = Counter(pair.actual for pair in pairs if pair.how == WON)
    lost = Counter(pair.actual for pair in pairs if pair.how == LOST)
    names = sorted({*won, *lost}, key=lambda name: (-(won[name] + lost[name]), name))
    return [(name, won[name], lost[name]) for name in names]
