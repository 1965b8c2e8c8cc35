"""What is said when Ray gives up; training on Ray itself is tested by the stage that uses it."""

import pytest
import ray

from components.core.errors import Unavailable
from components.training import distributed

DEAD = """Training failed due to controller error:
The actor died unexpectedly before finishing this task.
The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Some common causes include: ..."""


def test_a_killed_worker_is_told_with_what_to_lower() -> None:
    assert distributed._cause(DEAD).startswith("a worker process was killed, most often because memory ran out. Lower")


def test_an_error_in_a_worker_is_told_by_its_last_line() -> None:
    assert distributed._cause("Training failed:\n  File x\nKeyError: 'a'\n") == "KeyError: 'a'"


def test_a_cluster_that_does_not_answer_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: object) -> None:
        raise ConnectionError("nobody there")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(Unavailable, match=r"the Ray cluster at head:6379 does not answer \(nobody there\): try again"):
        distributed._connect("head:6379", {})
