"""What a kind of data adds to its contract where its samples are made of words: they can be searched and left out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from components.datasets.sample_store import Samples
from components.modalities import Array, Positions

Part = tuple[int, int]  # of a text: its first character, and the one behind its last


class UnfitPattern(Exception):  # noqa: N818 - a verdict on what a person wrote, told by whoever knows where it stands
    """A pattern that cannot be searched by: its `number` among those given, and what completes "it ..."."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(number, why)
        self.number, self.why = number, why


@dataclass(frozen=True)
class Mark:
    """A part of a sample, and the share of the odds of the model's answer that is lost without it, in 0..1."""

    part: Part
    fall: float


class Worded(ABC):
    """A second base of a `Modality`. pattern_kinds: what a rule's pattern may be, the usual one first."""

    pattern_kinds: ClassVar[tuple[str, ...]]

    @abstractmethod
    def matches_of(
        self, samples: Samples, rows: Positions, patterns: Sequence[tuple[str, str]], seconds: int
    ) -> list[Positions]:
        """For each pattern (its kind, itself) the places in `rows` of the samples that it is found in, ascending.

        Patterns may be anybody's: one that takes more than so many CPU seconds is stopped, come what may. Raises
        UnfitPattern for the first that is, and for the first that is of no known kind, or none of its kind.
        """

    @abstractmethod
    def parts_of(self, record: Array, most: int) -> list[Part]:
        """The words of a record in order; several side by side are one part where there are more than `most`."""

    @abstractmethod
    def without_part(self, record: Array, part: Part) -> Array:
        """The record as it would be without the part."""

    @abstractmethod
    def said_in(self, record: Array, part: Part) -> str:
        """The part as a person reads it."""

    @abstractmethod
    def show_marked(self, record: Array, marks: Sequence[Mark], *, caption: str = "") -> str:
        """As `Modality.show`, with marks: the more a part counts, the stronger; of a long record where they are."""
