"""Which questions go to a second person, blind, and which old ones come back: drawn by the sample's id alone."""

from pydantic import Field

from components.core.config import Config
from components.core.seeds import derive

_ALL = 2**63


class Sharing(Config):
    """second: share of the questions that two people answer, neither knowing of it; again: of a person's labels, the
    share that this person is asked about once more."""

    second: float = Field(0.1, ge=0, le=1)
    again: float = Field(0.05, ge=0, le=0.5)

    def wanted(self, identity: str) -> int:
        """By how many people a question is to be answered."""
        return 2 if derive(0, "second", identity) < self.second * _ALL else 1

    def order(self, who: str, identity: str) -> int:
        """By which of a person's old questions come back, the lowest first."""
        return derive(0, "again", who, identity)
