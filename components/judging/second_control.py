"""The guard's second control: the same labels by simpler means, before pretraining or an adaptation is believed."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from components.judging.guard import LEVEL
from components.judging.metrics import mcnemar

Choice = Literal["auto", "on", "off"]
Kind = Literal["scratch", "probe", ""]
MEANS = {
    "scratch": "the same network trained from scratch on the same labels",
    "probe": "a linear probe of the encoder as it was, on labels alone,",
}
FIRST = {"scratch": "the pretrained one", "probe": "the adapted one"}


@dataclass(frozen=True)
class Opinion:
    """What was held against the model that would ship, whether it ships instead, and one sentence; '' where none was.

    first_right, second_right: of `held_out` labels, by trainings that did not see them.
    """

    kind: Kind = ""
    ships: bool = False
    why: str = ""
    held_out: int = 0
    first_right: int = 0
    second_right: int = 0

    def record(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return asdict(self)


def compare(kind: Kind, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> Opinion:
    """The second control ships where more of the held-out labels are right by it, though that may be chance.

    first, second: `(H,)` which are right by the model that would ship, and by the control. Of two that cannot be told
    apart the simpler one would do; so a lead needs no proof here, while the model that would ship keeps a tie.
    """
    labels, ours, theirs = len(first), int(first.sum()), int(second.sum())
    ships = theirs > ours
    told = f"{MEANS[kind]} names {theirs} of {labels} held-out labels right, {FIRST[kind]} {ours}"
    chance = ", which could be chance" if theirs != ours and mcnemar(first, second) >= LEVEL else ""
    outcome = "so it does not ship"
    if ships:
        outcome = "the simpler of two that cannot be told apart ships" if chance else "so it ships"
    return Opinion(kind, ships, f"{told[0].upper()}{told[1:]}{chance}: {outcome}.", labels, ours, theirs)


def not_compared(why: str) -> Opinion:
    """A second control that would have been asked for, but could not be."""
    return Opinion(why=f"No second control was trained: {why}.")
