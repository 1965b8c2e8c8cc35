"""What the form asks about a candidate, and what comes of the answer; Prefect itself is in test_flow_review.py."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.core import tracking
from components.core.decisions import decisions
from components.core.model_versions import find
from pipelines.flows import review
from tests.stages.registered_world import register_for_a_person

Asked = Callable[..., tuple[str, list[str]]]
ADA = review.Review(answer="approve", name="Ada Lovelace", why="looked at it")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_store: Path) -> Iterator[Asked]:
    """`asked(answers, minutes)`: what comes of it, and what each form showed; after the last answer nobody is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(tracking.URI, raising=False)
    monkeypatch.delenv("WINNOW_PIPELINE_RUN", raising=False)
    monkeypatch.setattr("components.stages.register.authors", lambda: ["Bob Author"])
    Path("mlflow.db").write_bytes(empty_store.read_bytes())
    register_for_a_person()

    def ask(answers: list[review.Review], minutes: float = 1.0) -> tuple[str, list[str]]:
        shown: list[str] = []

        def pause(wait_for_input: Any, timeout: int, poll_interval: int) -> review.Review:
            assert 0 < timeout <= minutes * 60
            assert poll_interval <= timeout
            if len(shown) == len(answers):
                raise review.FlowPauseTimeout
            shown.append(wait_for_input._description)
            return answers[len(shown) - 1]

        monkeypatch.setattr(review, "pause_flow_run", pause)
        monkeypatch.setattr(review, "_go_on", lambda: None)
        return review.ask_person(minutes), shown

    yield ask
    tracking._client = None


def test_an_answer_that_does_not_count_is_asked_for_again_with_the_sentence_why(asked: Asked) -> None:
    own = review.Review(answer="approve", name="bob author")
    nobody = review.Review(answer="approve", name=" ")
    came, shown = asked([own, nobody, ADA])
    assert came == "winnow version 1 is approved, and the champion."
    assert "Shall version 1 of winnow serve?" in shown[0]
    assert "not taken: version 1 of winnow was made by bob author: another person decides" in shown[1]
    assert "not taken: '' is no name of a person" in shown[2].replace("' '", "''")
    (said,) = decisions(find("winnow", 1).tags)
    assert (said.what, said.by, said.why) == ("approved", "Ada Lovelace", "looked at it")
    assert asked([]) == ("", [])  # nothing is left to ask about


def test_a_no_leaves_no_candidate_and_nobody_there_leaves_it(asked: Asked) -> None:
    assert asked([], 1.5)[0] == "nobody answered within 1.5 minutes: version 1 stays the candidate."
    assert find("winnow", 1).aliases == ("candidate", "challenger")
    assert asked([ADA], 0) == ("", [])
    came, _ = asked([ADA.model_copy(update={"answer": "reject"})])
    assert came == "winnow version 1 is rejected; the champion stays."
    assert find("winnow", 1).aliases == ("challenger",)
