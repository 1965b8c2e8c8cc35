"""The form of Prefect's pages: a person's yes or no there counts as everywhere, and nobody waits for ever."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from components.core import tracking
from components.core.decisions import decisions
from components.core.errors import WinnowError
from components.core.model_versions import find
from pipelines.settings import run_settings
from tests.stages.registered_world import register_for_a_person, write_data

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # of Prefect's own server
]
Asked = Callable[..., tuple[str, list[str]]]
ADA = {"answer": "approve", "name": "Ada Lovelace", "why": "looked at it"}


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """One Prefect server for this file, on loopback, gone afterwards."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=900):
        yield


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_store: Path, server: None) -> Iterator[Asked]:
    """`asked(answers, minutes)`: what the flow run says, and what was shown above each form that was answered."""
    from prefect import flow

    from pipelines.flows import review

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(tracking.URI, raising=False)
    monkeypatch.setattr("components.stages.register.authors", lambda: ["Bob Author"])
    monkeypatch.setattr(review, "POLL", 0.2)
    Path("mlflow.db").write_bytes(empty_store.read_bytes())
    register_for_a_person()

    @flow
    def pipeline(minutes: float) -> str:
        return review.ask_person(minutes)

    def run(answers: list[dict[str, Any]], minutes: float = 2.0) -> tuple[str, list[str]]:
        shown: list[str] = []
        person = threading.Thread(target=_answer_on_the_page, args=(answers, shown), daemon=True)
        person.start()
        state = pipeline(minutes, return_state=True)
        person.join(60)
        assert state.is_completed()
        return state.result(), shown

    yield run
    tracking._client = None


def _answer_on_the_page(answers: list[dict[str, Any]], shown: list[str]) -> None:
    """What the form does when it is sent: the run that waits is resumed with what was typed."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState
    from prefect.client.schemas.objects import StateType

    paused = FlowRunFilterState.model_validate({"type": {"any_": [StateType.PAUSED]}})
    with get_client(sync_client=True) as client:
        answered: set[tuple[Any, str]] = set()
        for typed in answers:
            while True:
                for run in client.read_flow_runs(flow_run_filter=FlowRunFilter(state=paused)):
                    assert run.state is not None
                    keys = run.state.state_details.run_input_keyset
                    if keys is None or (run.id, keys["response"]) in answered:
                        continue
                    try:
                        about = client.read_flow_run_input(run.id, keys["description"])
                    except Exception:
                        continue
                    if client.resume_flow_run(run.id, run_input=typed).status.value == "ACCEPT":
                        answered.add((run.id, keys["response"]))
                        shown.append(about)
                        break
                    shown.append("the page refuses it")
                    break
                else:
                    time.sleep(0.1)
                    continue
                break


def test_a_yes_on_the_form_counts_and_its_author_is_asked_for_another(asked: Asked) -> None:
    own = {"answer": "approve", "name": "Bob Author"}
    came, shown = asked([{"answer": "perhaps", "name": "Ada"}, own, ADA])
    assert came == "winnow version 1 is approved, and the champion."
    assert shown[0] == "the page refuses it"
    assert "Shall version 1 of winnow serve?" in shown[1]
    assert "not taken: version 1 of winnow was made by Bob Author: another person decides" in shown[2]
    (said,) = decisions(find("winnow", 1).tags)
    assert (said.what, said.by, said.why) == ("approved", "Ada Lovelace", "looked at it")
    assert find("winnow", 1).aliases == ("challenger", "champion")
    assert asked([]) == ("", [])  # nothing is left to ask about


def test_a_no_on_the_form_leaves_no_candidate(asked: Asked) -> None:
    came, _ = asked([{**ADA, "answer": "reject"}])
    assert came == "winnow version 1 is rejected; the champion stays."
    assert find("winnow", 1).aliases == ("challenger",)


def test_where_nobody_answers_the_candidate_stays_one(asked: Asked) -> None:
    came, _ = asked([], 0.02)
    assert came == "nobody answered within 0.02 minutes: version 1 stays the candidate."
    assert find("winnow", 1).aliases == ("candidate", "challenger")
    assert asked([], 0)[0] == ""


def test_a_run_that_died_while_it_waited_is_closed_and_a_suspended_one_is_not(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import Paused, Running, Suspended

    from pipelines.flows import flow as flows
    from pipelines.flows import reconcile

    monkeypatch.setattr(reconcile, "YOUNG", timedelta(0))
    with get_client(sync_client=True) as client:
        dead, suspended = (
            client.create_flow_run(flows.pipeline, tags=[reconcile.workspace_tag()], state=Running()) for _ in range(2)
        )
        for run, state in ((dead, Paused(timeout_seconds=60)), (suspended, Suspended(timeout_seconds=60))):
            client.set_flow_run_state(run.id, state, force=True)
        assert reconcile.close_crashed() == 1
        states = [client.read_flow_run(run.id).state_name for run in (dead, suspended)]
        assert states == ["Crashed", "Suspended"]


def test_a_wait_without_anybody_to_wait_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_data()
    text = Path("params.yaml").read_text().replace("review_minutes: 0", "review_minutes: 60")
    Path("params.yaml").write_text(text)
    with pytest.raises(WinnowError, match=r"run\.review_minutes is 60, and nobody is asked"):
        run_settings()
    Path("params.yaml").write_text(text.replace("approval: none", "approval: person"))
    assert run_settings().review_minutes == 60
