"""One answer as a file gives it, before anybody knows whether it can be."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Given:
    """row: the ledger's columns as the file has them, those it lacks left out; where: its place in the file.

    sha256: of the sample, empty where the file does not say. annotation: the labeling tool's name for it, as
    `label_studio:TASK:NUMBER` (without TASK in the short form of an export).
    """

    where: str
    row: dict[str, str]
    sha256: str = ""
    annotation: str = ""


@dataclass(frozen=True)
class Answers:
    """All answers of a file. unanswered: its questions without one; unread: columns that were not looked at; foreign:
    annotations that say something else than a choice.

    whole: by id of a sample and TASK, the tool's numbers of all its annotations, where the file holds all of them.
    """

    given: list[Given]
    unanswered: int = 0
    unread: tuple[str, ...] = ()
    whole: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    foreign: int = 0
