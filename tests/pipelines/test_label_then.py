"""Answers start the next run: when the last question has one, when a file brought any, or when the time is up."""

import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from labeling_world import HEADER, TRAIN, build, desk, say, seat

from components.datasets.ledger import append
from pipelines import local_server
from pipelines.commands import ledger as commands
from pipelines.labeling import then
from pipelines.labeling.places import LEDGER
from pipelines.labeling.sharing import Sharing
from pipelines.labeling.waiting import EVERY, wait_for_answers


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    build()


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were started, which do nothing."""
    found = list[str]()
    monkeypatch.setattr("pipelines.repro.reproduce", lambda: found.append("repro") or 0)
    monkeypatch.setattr("pipelines.flows.run.run_flow", lambda **_: found.append("run") or 0)
    return found


def answered(*ids: str) -> None:
    append(LEDGER, [{"id": one, "label": "ant", "annotator": "mira", "source": "person"} for one in ids])


def test_a_sitting_is_over_when_all_have_an_answer_and_nobody_looks_at_one() -> None:
    place = desk(Sharing(second=1, again=0))
    asked = place.ask(seat())
    for _ in range(19):
        asked = say(place, asked)
    assert not place.is_over()
    place.ask(seat("noor"))
    say(place, asked)
    assert not place.is_over()  # noor looks at a second one of hers
    place._leave(seat("noor"))
    assert place.is_over()
    place.undo(seat(), TRAIN[0])
    assert not place.is_over()


def test_the_server_ends_a_while_after_it_is_over_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_server, "REST", 0.2)
    over, seen = threading.Event(), list[int]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    with local_server.listening(5950) as door:
        port = door.getsockname()[1]

        def ask() -> None:
            time.sleep(0.5)
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"http://127.0.0.1:{port}/") as reply:
                seen.append(reply.status)
            over.set()

        threading.Thread(target=ask).start()
        local_server.answer(app, door, over.is_set)
    assert seen == [204]


@pytest.mark.parametrize("how", ["repro", "run"])
def test_what_a_file_brings_starts_the_next_run_and_a_file_without_news_does_not(
    how: Any, ran: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = Path("a.csv")
    sheet.write_text(f"id,label,annotator\n{TRAIN[0]},ant,mira\n")
    with pytest.raises(SystemExit) as end:
        commands.import_(sheet, then=how)
    assert (end.value.code, ran) == (0, [how])
    commands.import_(sheet, then=how)
    assert "No new answer, so no run." in capsys.readouterr().out
    assert ran == [how]
    commands.import_(sheet, then=None)
    assert ran == [how]
    assert then.rows() == 1


def test_waiting_ends_with_the_last_answer() -> None:
    said, slept = list[str](), list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        answered(*TRAIN[10 * (len(slept) - 1) : 10 * len(slept)])

    waited = wait_for_answers(8, said.append, sleep=sleep, clock=lambda: sum(slept))
    assert waited.said == "20 of 20 questions answered"
    assert slept == [EVERY, EVERY]
    assert said == [
        "20 questions wait for people, for 8 hours at most.",
        "10 of 20 have an answer.",
        "20 of 20 have an answer.",
    ]


def test_waiting_ends_when_the_time_is_up_with_what_there_is() -> None:
    slept = list[float]()
    answered(*TRAIN[:2])

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            answered(*TRAIN[2:5])

    waited = wait_for_answers(0.025, lambda _: None, sleep=sleep, clock=lambda: sum(slept))
    assert waited.said == "3 of 18 questions answered, 15 left open"
    assert slept == [EVERY, 30.0]


def test_no_ledger_is_no_row() -> None:
    LEDGER.unlink()
    assert then.rows() == 0
    LEDGER.write_text(HEADER)
    assert then.rows() == 0
