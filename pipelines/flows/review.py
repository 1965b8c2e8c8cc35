"""A person's yes or no to the gate's candidate on the form of Prefect's pages, for which the flow run pauses."""

import math
import os
import time
from typing import Literal
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from prefect.states import Running

from components.core.decisions import SHORT
from components.core.errors import Unavailable, WinnowError
from components.core.model_versions import CANDIDATE, Version, versions
from components.core.secrets import without_secrets
from components.release.approval import Answer, person, reason
from components.release.evidence import evidence_digest, verdict_of
from pipelines import deciding
from pipelines.flows.server import API
from pipelines.settings import model_name

POLL = 5  # seconds between two looks at whether somebody has answered


class Review(RunInput):
    """What the form asks for."""

    answer: Literal["approve", "reject"]
    name: str
    why: str = ""
    own: bool = False


def ask_person(minutes: float) -> str:
    """Wait so long for an answer about the candidate; what came of it, in a sentence, empty where nobody is asked.

    Called in a flow run. An answer that does not count (of the version's author, on evidence that has changed) is asked
    for again, with the sentence why. Who answers otherwise meanwhile leaves nothing to ask about.
    """
    deadline, refused = time.monotonic() + minutes * 60, ""
    while minutes and (candidate := _candidate()) is not None:
        left = math.ceil(deadline - time.monotonic())
        if left <= 0:
            return _nobody(candidate, minutes)
        digest = evidence_digest(candidate.tags)
        print(f"winnow: waits for a person's answer about version {candidate.number}: {_page()}", flush=True)
        form = Review.with_initial_data(description=_about(candidate, digest, refused))
        try:
            said = pause_flow_run(wait_for_input=form, timeout=left, poll_interval=min(POLL, left))
        except FlowPauseTimeout:
            _go_on()
            return _nobody(candidate, minutes)
        try:
            return _take(candidate, said, digest)
        except Unavailable:
            raise
        except WinnowError as error:
            refused = without_secrets(str(error))
    return ""


def _take(candidate: Version, said: Review, digest: str) -> str:
    answer = Answer(person(said.name), reason(said.why), said.answer == "approve", digest, said.own)
    return deciding.approve(str(candidate.number), answer)


def _candidate() -> Version | None:
    return next((version for version in versions(model_name()) if CANDIDATE in version.aliases), None)


def _nobody(candidate: Version, minutes: float) -> str:
    return f"nobody answered within {minutes:g} minutes: version {candidate.number} stays the candidate."


def _go_on() -> None:
    """Make the run running again: Prefect holds one that nobody resumed in time for failed, whatever it ends with."""
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(str(flow_run.get_id())), Running(), force=True)


def _page() -> str:
    return f"{os.environ.get(API, '').removesuffix('/api')}/runs/flow-run/{flow_run.get_id()}"


def _about(candidate: Version, digest: str, refused: str) -> str:
    """Markdown above the form."""
    tags, verdict = candidate.tags, verdict_of(candidate.tags)
    lines = [
        *([f"**The answer was not taken: {refused}**"] if refused else []),
        f"Shall version {candidate.number} of {candidate.name} serve?",
        f"- gate: {verdict.why if verdict else 'has not judged it'}",
        f"- test accuracy {tags.get('accuracy', '?')} ({tags.get('accuracy_low', '?')} to "
        f"{tags.get('accuracy_high', '?')}), label-only control {tags.get('control_accuracy', '?')}, on "
        f"{tags.get('test_samples', '?')} test samples, with {tags.get('labels_used', '?')} labels",
        f"- evidence {digest[:SHORT]}; `winnow diff` and data/report/report.html show more",
        "Who made the version answers only with `own`, which is kept.",
    ]
    return "\n\n".join(lines)
