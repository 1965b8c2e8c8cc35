"""The honest budget's guard: do pseudo-labels make a better model than the labels alone? If not, the control ships."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from components.judging.metrics import mcnemar

Integers = npt.NDArray[np.int64]
LEVEL = 0.05  # of the tests, two-sided


@dataclass(frozen=True)
class Verdict:
    """Which model ships, the kind of evidence that decided, the figures of both models and one sentence for people.

    right: of `held_out` labels, each by a training without its fold; confirmed: of the `disputed` samples that
    the models name differently, those that labels spread over nearest neighbors name as this one does; plain: the same
    by neighbors in the kind of data's simple features, where it has some. `scratch` and `probe` are the second
    control's (see `second_control.py`).
    """

    shipped: Literal["pseudo_labels", "control", "scratch", "probe"]
    evidence: Literal["held_out_labels", "neighbors", "none"]
    why: str
    held_out: int = 0
    candidate_right: int = 0
    control_right: int = 0
    disputed: int = 0
    candidate_confirmed: int = 0
    control_confirmed: int = 0
    candidate_plain: int = 0
    control_plain: int = 0

    def record(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Answers:
    """Classes that both models say of the same things, and the classes to hold them against; each `(N,)`."""

    candidate: Integers
    control: Integers
    expected: Integers

    @property
    def agreeing(self) -> tuple[int, int]:
        """How often candidate and control say what is expected."""
        return int((self.candidate == self.expected).sum()), int((self.control == self.expected).sum())

    @property
    def disputed(self) -> "Answers":
        """Those on which the models differ."""
        apart = self.candidate != self.control
        return Answers(self.candidate[apart], self.control[apart], self.expected[apart])

    def joined(self, other: "Answers") -> "Answers":
        """These and the others."""
        return Answers(*(np.concatenate(pair) for pair in zip(vars(self).values(), vars(other).values(), strict=True)))

    def clear(self, level: float = LEVEL) -> bool:
        """Whether one model says what is expected more often than the other beyond chance (exact McNemar test)."""
        return mcnemar(self.candidate == self.expected, self.control == self.expected) < level


def judge(
    held_out: Answers,
    pictures: Answers,
    plain: Answers | None = None,
    *,
    level: float = LEVEL,
    third: bool = False,
) -> Verdict:
    """The candidate ships if it is clearly better: on held-out labels, or else by these and what neighbors say.

    held_out: expected are labels that no model saw. A difference in them beyond chance decides, but a few dozen labels
    seldom show one. pictures: expected are the classes that label propagation over the encoder's vectors gives; plain:
    those that it gives over simple features, which know nothing of the encoder nor of pseudo-labels made with it; None:
    there are none. The former, counted together with the held-out labels, decide next; `third`: the latter with them,
    which are kept in any case. Where that is not clear either, the control ships. level: of both tests; a higher one
    lets more pseudo-labels out, and a worse model more often.
    """
    by_labels, heard = held_out.clear(level), held_out.joined(pictures.disputed)
    heard = heard.joined(plain.disputed) if plain and third else heard
    decisive = held_out if by_labels else heard
    clear = decisive.clear(level)
    better = clear and decisive.agreeing[0] > decisive.agreeing[1]
    right, confirmed = held_out.agreeing, pictures.disputed.agreeing
    others = plain.disputed.agreeing if plain else (0, 0)
    why = _told(held_out) + ("" if by_labels else _heard(held_out, pictures, plain if third else None, clear=clear))
    return Verdict(
        shipped="pseudo_labels" if better else "control",
        evidence="held_out_labels" if by_labels else "neighbors",
        why=f"{'Pseudo-labels ship' if better else 'The label-only control ships'}: {why}.",
        held_out=len(held_out.expected),
        candidate_right=right[0],
        control_right=right[1],
        disputed=len(pictures.disputed.expected),
        candidate_confirmed=confirmed[0],
        control_confirmed=confirmed[1],
        candidate_plain=others[0],
        control_plain=others[1],
    )


def _told(held_out: Answers) -> str:
    if not len(held_out.expected):
        return "no label could be held out to compare pseudo-labels with labels alone"
    right = held_out.agreeing
    held = len(held_out.expected)
    return f"{right[0]} of {held} held-out labels right with pseudo-labels and {right[1]} with labels alone"


def _heard(held_out: Answers, pictures: Answers, plain: Answers | None, *, clear: bool) -> str:
    confirmed = pictures.disputed.agreeing
    told = (
        f"{', which could be chance' if len(held_out.expected) else ''}; of {len(pictures.disputed.expected)} samples "
        f"that the two name differently, labels spread over nearest neighbors confirm {confirmed[0]} by the former and "
        f"{confirmed[1]} by the latter"
    )
    if plain:
        told += f", neighbors by simple features {plain.disputed.agreeing[0]} and {plain.disputed.agreeing[1]}"
    return told if clear else f"{told}, which could be chance, too"


def nobody_to_judge() -> Verdict:
    """Rules stand in for labels, and no label of anybody else could be held out."""
    why = "what rules say taught the model that ships: no label could be held out to tell whether pseudo-labels help."
    return Verdict("control", "none", f"The control ships: {why}")


def nothing_to_judge() -> Verdict:
    """No pseudo-label was accepted: both models would be the same."""
    return Verdict("control", "none", "The label-only control ships: no pseudo-label was accepted.")
