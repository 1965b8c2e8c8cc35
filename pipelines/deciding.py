"""`winnow approve`, `promote`, `rollback`: which version serves, as a person decides, written down with their name."""

import sys

from components.core.config import read_params
from components.core.model_versions import BY_HAND, CANDIDATE, CHAMPION, find, rollback, versions
from components.core.people import login
from components.core.stage_settings import stage_settings
from components.release.approval import (
    REVIEW,
    Answer,
    decide_on,
    honour_reviews,
    how_to_answer,
    person,
    promote_by_hand,
    reason,
)
from components.release.gate import Gate
from components.release.registered import prove
from pipelines.settings import model_name


def approve(wanted: str, answer: Answer) -> str:
    """Take a person's yes or no to the candidate; what came of it, in a sentence."""
    tell_reviews()
    served = CHAMPION in find(model_name(), wanted).aliases
    version = decide_on(model_name(), wanted, answer, _gate(), prove=prove)
    if served:
        return f"{version.name} version {version.number} serves already: nothing was left to decide, or written down."
    came = "is rejected; the champion stays" if not answer.approves else "is approved, and the champion"
    return f"{version.name} version {version.number} {came}."


def promote(wanted: str, *, by: str, despite: str) -> str:
    """Make a version the champion by hand; what came of it, in a sentence."""
    tell_reviews()
    who = person(by) if by else ""
    made = promote_by_hand(
        model_name(), wanted, _gate(), by=who or _login(despite), despite=reason(despite), prove=prove
    )
    return f"{made.name} version {made.number} is the champion."


def roll_back(*, by: str, why: str) -> str:
    """Make the champion before this one the champion again; what came of it, in a sentence."""
    who = person(by) if by else login()
    made = rollback(model_name(), prove=prove, by=who, why=reason(why) or BY_HAND)
    return f"{made.name} version {made.number} is the champion again."


def tell_reviews() -> None:
    """Take what people have written into the tag `review` in MLflow's pages; a line on standard error for each."""
    for sentence in reviews():
        print(f"winnow: {sentence}", file=sys.stderr)


def reviews() -> list[str]:
    """The same as sentences."""
    if not any(version.tags.get(REVIEW) for version in versions(model_name())):
        return []
    return honour_reviews(model_name(), _gate(), prove=prove)


def waiting() -> list[str]:
    """What a person can do about the candidate, where there is one."""
    return [how_to_answer(version) for version in versions(model_name()) if CANDIDATE in version.aliases]


def _gate() -> Gate:
    gate: Gate = stage_settings("register", read_params()).gate
    return gate


def _login(despite: str) -> str:
    """Who promotes without a name: the user; but one who overrides says who they are."""
    return "" if despite else login()
