"""A person's word on a version: yes or no to the gate's candidate, a promotion by hand, a tag set in MLflow's pages."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from components.core import tracking
from components.core.decisions import APPROVED, PROMOTED, REJECTED, SHORT, Decided, note
from components.core.errors import Unavailable, WinnowError
from components.core.files import sha256
from components.core.model_versions import (
    BY_HAND,
    CHAMPION,
    Prove,
    Version,
    crown,
    dismiss,
    find,
    promote,
    promoting,
    versions,
)
from components.core.people import is_one_of, listed
from components.core.terminal import short
from components.datasets.names import normal, unprintable
from components.release.evidence import evidence_digest, reservations, standing, verdict_of
from components.release.gate import Gate

REVIEW, AUTHORS = "review", "authors"  # tags of a version: a person's word from the pages, and who made it
MANIFEST = Path("data/ingest/manifest.parquet")
LONGEST, MOST_REASON = 100, 2000  # characters of a person's name, and of why
LEAST = 8  # hex digits by which evidence is named: fewer may be those of another
_REVIEW = re.compile(r"(approve|reject)\s+([0-9a-f]{8,64})\s+by\s+([^:]+?)\s*(?::\s*(.*))?", re.DOTALL)
_FORM = "approve (or reject), the evidence's digest, by, a name: `approve {digest} by NAME: why`"


@dataclass(frozen=True)
class Answer:
    """What a person says. evidence: digest, or its first digits, of what they looked at; empty: what there is now.

    own: they made the version themselves and decide nevertheless.
    """

    by: str
    why: str = ""
    approves: bool = True
    evidence: str = ""
    own: bool = False


def person(name: str) -> str:
    """A person's name in normal form. Raises WinnowError for what is none."""
    plain = normal(name)
    if not plain or unprintable(plain) or len(plain) > LONGEST:
        raise WinnowError(f"'{short(name)}' is no name of a person: give yours, as in --as \"Ada Lovelace\".")
    return plain


def reason(text: str) -> str:
    """Why, as it is kept: on one line. Raises WinnowError where it is no reason but a document."""
    plain = " ".join(text.split())
    if len(plain) > MOST_REASON:
        raise WinnowError(f"the reason has {len(plain):,} characters, and {MOST_REASON:,} are kept: say it shorter.")
    return plain


def seen(evidence: str) -> str:
    """The digits of what somebody looked at. Raises WinnowError where they name no evidence."""
    plain = evidence.strip().lower()
    if not re.fullmatch(f"[0-9a-f]{{{LEAST},64}}", plain):
        raise WinnowError(
            f"--evidence is '{short(evidence)}': it is the digest on the version's card, {LEAST} digits of it at least."
        )
    return plain


def decide_on(name: str, wanted: int | str, answer: Answer, gate: Gate, *, prove: Prove) -> Version:
    """Take a person's yes or no to the candidate; a yes makes it the champion. Once more does nothing.

    Raises WinnowError where nobody is asked, where the gate has not said yes, for stale evidence, for the version's own
    author, and as `prove` does; nothing is written then.
    """
    with promoting():
        version = find(name, wanted)
        _decide(version, answer, gate, prove)
    return find(name, version.number)


def promote_by_hand(name: str, wanted: int | str, gate: Gate, *, by: str, despite: str, prove: Prove) -> Version:
    """Make a version the champion; what speaks against it needs a named person's `despite`, which is kept.

    Raises WinnowError naming what speaks against it, and for a `despite` where nothing does.
    """

    def decided(version: Version) -> Decided:
        against = reservations(version, gate)
        if against and not (by and despite.strip()):
            raise WinnowError(
                f"version {version.number} of {name} is not promoted just so: {'; '.join(against)}. Who decides "
                f'otherwise says so: `winnow promote {version.number} --as NAME --despite "why"`, which is recorded.'
            )
        if despite and not against:
            raise WinnowError(f"nothing speaks against version {version.number} of {name}: leave --despite out.")
        digest = evidence_digest(version.tags)
        return Decided(PROMOTED, by, despite.strip() or BY_HAND, evidence=digest, despite="; ".join(against))

    return promote(name, wanted, prove=prove, decide=decided)


def honour_reviews(name: str, gate: Gate, *, prove: Prove) -> list[str]:
    """Take every yes and no that stands in the tag `review`; a sentence for each, those not taken included.

    Such a tag is removed once it was taken. The caller must not hold `promoting()`.
    """
    if not any(version.tags.get(REVIEW) for version in versions(name)):
        return []
    with promoting():
        return [honour(version, gate, prove=prove) for version in versions(name) if version.tags.get(REVIEW)]


def honour(version: Version, gate: Gate, *, prove: Prove) -> str:
    """The same of one version. The caller holds `promoting()`."""
    told, where = version.tags[REVIEW], f"the tag {REVIEW} of version {version.number} of {version.name}"
    digest = evidence_digest(version.tags)[:SHORT]
    if (parts := _REVIEW.fullmatch(told.strip())) is None:
        return f"{where} is '{short(told)}' and is not taken: write {_FORM.format(digest=digest)}."
    word, digits, by, why = parts.groups()
    try:
        answer = Answer(person(by), reason(why or ""), word == "approve", digits)
        _decide(version, answer, gate, prove)
    except Unavailable:
        raise
    except WinnowError as error:
        return f"{where} is not taken: {error}"
    store = tracking.client()
    with tracking.answering():
        store.delete_model_version_tag(version.name, str(version.number), REVIEW)
    return f"{where} was taken: {answer.by} {'approved' if answer.approves else 'rejected'} it."


def how_to_answer(version: Version) -> str:
    """What a person who is asked about the candidate can do, in one sentence."""
    digest, number = evidence_digest(version.tags)[:SHORT], version.number
    return (
        f"`winnow approve {number} --as NAME` (or --reject), or in MLflow's pages the tag {REVIEW}: "
        f"`approve {digest} by NAME: why`"
    )


def _decide(version: Version, answer: Answer, gate: Gate, prove: Prove) -> None:
    where, digest = f"version {version.number} of {version.name}", evidence_digest(version.tags)
    if gate.approval == "none":
        raise WinnowError(f"nobody is asked about {where}: set register.gate.approval: person in params.yaml.")
    if CHAMPION in version.aliases:
        if answer.approves:
            _check_evidence(answer, digest, where)
            return
        raise WinnowError(f"{where} serves already: `winnow rollback --as NAME` takes it down.")
    said = standing(version)
    if said is not None and said.what == REJECTED and not answer.approves:
        return
    _check(version, answer, digest, where)
    decided = Decided(APPROVED, answer.by, answer.why or "no reason given.", digest, own=_is_author(version, answer))
    if answer.approves:
        prove(version)
        crown(version, decided)
    else:
        note(version, replace(decided, what=REJECTED))
        dismiss(version)


def _check(version: Version, answer: Answer, digest: str, where: str) -> None:
    """Raise WinnowError where this answer does not count."""
    verdict = verdict_of(version.tags)
    if "rolled_back" in version.tags:
        raise WinnowError(f"{where} was rolled back: `winnow promote {version.number} --as NAME` brings it back.")
    if verdict is None or not verdict.passed:
        raise WinnowError(
            f"{where} is no candidate, because the gate has not said yes: "
            f'`winnow promote {version.number} --as NAME --despite "why"` makes it serve nevertheless.'
        )
    again = "`winnow repro --from register` has the gate judge it anew."
    _check_evidence(answer, digest, where)
    if version.tags.get("dataset_digest") and MANIFEST.is_file() and sha256(MANIFEST) != version.tags["dataset_digest"]:
        raise WinnowError(f"{where} was measured on another data set than {MANIFEST} is: {again}")
    champion = next((f"version {one.number}" for one in versions(version.name) if CHAMPION in one.aliases), "control")
    if verdict.against != champion:
        serves = "none serves" if champion == "control" else f"{champion} serves"
        raise WinnowError(f"{where} was compared with {verdict.against}, and {serves} now: {again}")
    if _is_author(version, answer) and not answer.own:
        raise WinnowError(
            f"{where} was made by {answer.by}: another person decides about it, or --own records that its author did."
        )


def _check_evidence(answer: Answer, digest: str, where: str) -> None:
    if not digest.startswith(answer.evidence):
        raise WinnowError(
            f"{where} has other evidence now ({digest[:SHORT]}) than was decided on ({answer.evidence[:SHORT]}): look "
            "at it again."
        )


def _is_author(version: Version, answer: Answer) -> bool:
    return is_one_of(answer.by, listed(version.tags.get(AUTHORS, "[]")))
