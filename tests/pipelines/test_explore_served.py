"""The map's server: what is selected is asked next, until it has answers; behind a word, and of this machine alone."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from labeling_world import TEST, TRAIN, build

from components.core.errors import WinnowError
from components.datasets.ledger import append, read_ledger
from pipelines.explore_served import map_application
from pipelines.labeling.batch import open_batch
from pipelines.labeling.chosen import choose
from pipelines.labeling.places import LEDGER, MANIFEST
from pipelines.labeling.project import open_project


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    build()


def _tell(path: str, body: bytes | None = None) -> tuple[int, str]:
    app, sent = map_application(open_project(), "<p>the map</p>", "word"), list[Any]()

    async def receive() -> Any:
        return {"type": "http.request", "body": body or b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": ""}
    headers = [(b"content-type", b"application/json")] if body is not None else []
    method = "GET" if body is None else "POST"
    asyncio.run(app({**scope, "method": method, "headers": headers, "scheme": "http", "server": None}, receive, send))
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:]).decode()


def _asked() -> tuple[list[str], str]:
    batch = open_batch(open_project(), read_ledger(LEDGER), test=False, count=20)
    return [one.id for one in batch.questions], batch.said


def _answer(*ids: str) -> None:
    append(LEDGER, [{"id": one, "label": "ant", "annotator": "mira", "source": "person"} for one in ids])


def test_what_is_selected_is_asked_before_what_the_model_chose_until_it_has_answers() -> None:
    before = _asked()
    status, text = _tell("/word/ask", json.dumps({"ids": [TRAIN[30], TRAIN[25], TEST[0]]}).encode())
    assert (status, _asked()) == (200, ([TRAIN[30], TRAIN[25]], "chosen by a person on the map"))
    assert "asks about 2 of these next" in json.loads(text)["said"]
    assert "1 are test samples: left out" in json.loads(text)["said"]
    _answer(TRAIN[30])
    assert _asked()[0] == [TRAIN[30], TRAIN[25]]
    _answer(TRAIN[25])
    assert _asked() == before


def test_a_choice_among_samples_that_are_others_now_is_none() -> None:
    before = _asked()
    choose(open_project(), TRAIN[30:33])
    MANIFEST.write_bytes(MANIFEST.read_bytes() + b"\0")  # as good as another one
    from pipelines.labeling.chosen import chosen

    assert chosen(read_ledger(LEDGER)) == []
    assert before[0] == TRAIN[:20]


@pytest.mark.parametrize(
    ("ids", "says"), [(["feed"], "other samples"), ([], "nothing is selected"), (TEST[:2], "2 are test samples")]
)
def test_what_cannot_be_asked_about_is_told(ids: list[str], says: str) -> None:
    status, text = _tell("/word/ask", json.dumps({"ids": ids}).encode())
    assert (status, says in json.loads(text)["error"]) == (409, True)
    with pytest.raises(WinnowError, match=says):
        choose(open_project(), ids)


def test_the_map_is_behind_its_word_and_shows_a_sample_whole() -> None:
    assert _tell("/word/") == (200, "<p>the map</p>")
    assert _tell("/")[0] == _tell("/other/")[0] == _tell("/ask", b"{}")[0] == 404
    status, text = _tell("/word/whole", json.dumps({"id": TRAIN[0]}).encode())
    assert (status, json.loads(text)["shown"][:4]) == (200, "<img")
    assert _tell("/word/whole", b'{"id": "feed"}')[0] == 409
    assert _tell("/word/ask", b'{"ids": 3}')[0] == 409
