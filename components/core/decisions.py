"""What was decided about a model version, by whom, when and why: kept with the version, in the registry's words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import TypeAdapter

from components.core import tracking
from components.core.errors import WinnowError
from components.core.people import login
from components.core.secrets import without_secrets
from components.core.terminal import one_line

TAG = "decisions"  # of a version: JSON list, the oldest first
PROMOTED, ROLLED_BACK, APPROVED, REJECTED = "promoted", "rolled back", "approved", "rejected"
SHORT = 12  # hex digits of the evidence's digest that people read and type
_HEADING = "\n\n## Who decided\n\n"  # of the part of a card that this file writes


@dataclass(frozen=True)
class Decided:
    """One decision. by: a person's name, empty for the gate; login: the user whose process wrote it down.

    evidence: digest of what it was given for; despite: what spoke against it, in sentences; own: by one of the
    version's authors, who said so.
    """

    what: str
    by: str = ""
    why: str = ""
    evidence: str = ""
    despite: str = ""
    own: bool = False
    at: str = ""
    login: str = ""

    @property
    def said(self) -> str:
        """One line for people."""
        who = f"by {self.by}{f' (login {self.login})' if self.login else ''}" if self.by else "by the gate"
        mine = ", who made it" if self.own else ""
        against = f" Despite: {self.despite}" if self.despite else ""
        proof = f" (evidence {self.evidence[:SHORT]})" if self.evidence else ""
        return one_line(f"{self.at[:16].replace('T', ' ')} UTC: {self.what} {who}{mine}{proof}: {self.why}{against}")


class _Decidable(Protocol):
    """What is needed of a version."""

    @property
    def name(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def tags(self) -> Mapping[str, str]: ...


def decisions(tags: Mapping[str, str]) -> list[Decided]:
    """Those about a version, the oldest first; none where somebody has written something else into the tag, which
    `unreadable` says."""
    try:
        return TypeAdapter(list[Decided]).validate_json(tags.get(TAG, "[]"))
    except ValueError:
        return []


def unreadable(version: _Decidable) -> str:
    """A sentence on the version's tag where it holds no list of decisions any more; empty where it does."""
    return _unreadable(version, version.tags)


def history(versions: Sequence[_Decidable]) -> list[tuple[int, Decided]]:
    """The decisions about all of these versions with their numbers, in the order of time."""
    every = [(version.number, one) for version in versions for one in decisions(version.tags)]
    return sorted(every, key=lambda pair: pair[1].at)


def note(version: _Decidable, decided: Decided) -> None:
    """Write a decision into the version's tag and card, now. The same one said twice in a row is written once.

    Raises WinnowError rather than write over a tag that holds something else.
    """
    store = tracking.client()
    with tracking.answering():
        found = store.get_model_version(version.name, str(version.number))
        if said := _unreadable(version, found.tags):
            raise WinnowError(said)
        earlier = decisions(found.tags)
        if earlier and _same(earlier[-1], decided):
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        every = [*earlier, _masked(decided, at=f"{now}Z", login=login())]
        text = json.dumps([asdict(one) for one in every])
        store.set_model_version_tag(version.name, str(version.number), TAG, text)
        card = with_decisions(found.description or "", every)
        store.update_model_version(version.name, str(version.number), description=card)


def with_decisions(card: str, every: Sequence[Decided]) -> str:
    """The card (Markdown) with these decisions as its last part, in place of those it had."""
    rows = "\n".join(f"- {one.said}" for one in every)
    return card.partition(_HEADING)[0] + (f"{_HEADING}{rows}" if rows else "")


def _unreadable(version: _Decidable, tags: Mapping[str, str]) -> str:
    try:
        TypeAdapter(list[Decided]).validate_json(tags.get(TAG, "[]"))
    except ValueError:
        return (
            f"the tag {TAG} of version {version.number} of {version.name} was edited and holds no list of decisions "
            "any more: mend it in the MLflow pages (`winnow ui`), or delete it there, and its decisions are forgotten."
        )
    return ""


def _same(one: Decided, other: Decided) -> bool:
    def meant(decided: Decided) -> dict[str, Any]:
        return {name: value for name, value in asdict(decided).items() if name not in ("at", "login")}

    return meant(one) == meant(_masked(other))


def _masked(decided: Decided, **more: str) -> Decided:
    texts = {name: without_secrets(" ".join(getattr(decided, name).split())) for name in ("by", "why", "despite")}
    return Decided(**{**asdict(decided), **texts, **more})
