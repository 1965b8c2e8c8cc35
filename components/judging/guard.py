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

    right: of `held_out` labels, each by a training without its fold; confirmed: of the `disputed` pictures that
    the models name differently, those that labels spread over nearest neighbors name as this one does. `scratch` and
    `probe` are the second control's (see `second_control.py`).
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


def judge(held_out: Answers, pictures: Answers, *, level: float = LEVEL) -> Verdict:
    """The candidate ships if it is clearly better: on held-out labels, or else on these and in the eyes of neighbors.

    held_out: expected are labels that no model saw. A difference in them beyond chance decides, but a few dozen labels
    seldom show one. pictures: expected are the classes that label propagation gives them, a third opinion; counted
    together with the held-out labels it decides next. Where that is not clear either, the control ships. level: of
    both tests; a higher one lets more pseudo-labels out, and a worse model more often.
    """
    right, confirmed = held_out.agreeing, pictures.disputed.agreeing
    labels, disputed = len(held_out.expected), len(pictures.disputed.expected)
    why = (
        f"{right[0]} of {labels} held-out labels right with pseudo-labels and {right[1]} with labels alone"
        if labels
        else "no label could be held out to compare pseudo-labels with labels alone"
    )
    both, by_labels = held_out.joined(pictures.disputed), held_out.clear(level)
    if not by_labels:
        why += (
            f"{', which could be chance' if labels else ''}; of {disputed} samples that the two name differently, "
            f"labels spread over nearest neighbors confirm {confirmed[0]} by the former and {confirmed[1]} by the "
            f"latter{'' if both.clear(level) else ', which could be chance, too'}"
        )
    decisive = held_out if by_labels else both
    better = decisive.clear(level) and decisive.agreeing[0] > decisive.agreeing[1]
    return Verdict(
        shipped="pseudo_labels" if better else "control",
        evidence="held_out_labels" if by_labels else "neighbors",
        why=f"{'Pseudo-labels ship' if better else 'The label-only control ships'}: {why}.",
        held_out=labels,
        candidate_right=right[0],
        control_right=right[1],
        disputed=disputed,
        candidate_confirmed=confirmed[0],
        control_confirmed=confirmed[1],
    )


def nobody_to_judge() -> Verdict:
    """Rules stand in for labels, and no label of anybody else could be held out."""
    why = "what rules say taught the model that ships: no label could be held out to tell whether pseudo-labels help."
    return Verdict("control", "none", f"The control ships: {why}")


def nothing_to_judge() -> Verdict:
    """No pseudo-label was accepted: both models would be the same."""
    return Verdict("control", "none", "The label-only control ships: no pseudo-label was accepted.")
