"""The labeling page's server: what it answers, to whom; and that a server killed in the middle loses nothing."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labeling_world import IDS, TEST, TRAIN, build, counted, desk

from components.core.errors import WinnowError
from components.datasets.ledger import append, read_ledger
from components.pages.digit_keys import digit_keys
from components.pages.label import render
from pipelines.labeling.app import MOST, application
from pipelines.labeling.batch import open_batch
from pipelines.labeling.places import LEDGER, QUERIES, VECTORS
from pipelines.labeling.project import open_project
from tests.pictures import modality_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = {"classes": ["ant", "bee", "cow"], "noun": "picture", "said": "chosen", "total": 20}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    build()


def _ask(path: str, body: bytes | None = None, kind: str = "application/json") -> tuple[int, dict[str, str], str]:
    """Status, headers and text of what a fresh application answers."""

    def record(identity: str) -> Any:
        if identity not in IDS:
            raise WinnowError("there is no such sample: load the page anew.")
        return np.zeros((1, 8, 8), np.uint8)

    app, sent = application(desk(), PAGE, modality_of(), record, "secret"), list[Any]()

    async def receive() -> Any:
        return {"type": "http.request", "body": body or b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    method = "GET" if body is None else "POST"
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    headers = [(b"content-type", kind.encode())] if body is not None else []
    asyncio.run(app({**scope, "headers": headers, "root_path": "", "scheme": "http", "server": None}, receive, send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(one.get("body", b"") for one in sent[1:]).decode()


def _post(name: str, **body: Any) -> tuple[int, Any]:
    status, _, text = _ask(f"/secret/{name}", json.dumps({"who": "mira", "tab": "1", **body}).encode())
    return status, json.loads(text)


def test_without_the_word_in_the_address_nothing_is_there() -> None:
    assert _ask("/secret/")[0] == 200
    for path in ("/", "/ask", "/secre/", "/SECRET/", "/secret/../ask"):
        assert _ask(path)[0] == 404
        assert _ask(path, b"{}")[0] == 404


def test_the_page_loads_nothing_and_runs_only_its_own_script() -> None:
    _, headers, text = _ask("/secret/")
    nonce = re.search(r"nonce=\"([\w-]+)\"", text)
    assert nonce is not None
    assert f"script-src 'nonce-{nonce[1]}'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert (headers["referrer-policy"], headers["cache-control"]) == ("no-referrer", "no-store")
    assert not re.search(r"""(src|href)=["']?(https?:|//|/)""", text)


def test_a_question_is_answered_undone_and_answered_by_what_the_page_says() -> None:
    status, asked = _post("ask")
    assert (status, asked["id"], asked["done"], asked["open"], asked["last"]) == (200, TRAIN[0], 0, 20, "")
    assert "data:image/png" in asked["shown"]
    _, asked = _post("answer", id=TRAIN[0], label="bee", passed="", seconds=1.5, again=False)
    assert (asked["id"], asked["last"]) == (TRAIN[1], TRAIN[0])
    assert counted() == {TRAIN[0]: "bee"}
    _, asked = _post("undo", id=TRAIN[0])
    assert (asked["id"], counted()) == (TRAIN[0], {})
    assert _post("skip", id=TRAIN[0])[0] == 200
    assert "data:image/png" in _post("whole", id=TRAIN[0])[1]["shown"]


def test_the_models_guess_is_nowhere_before_the_answer() -> None:
    _, asked = _post("ask")
    assert "Why." not in json.dumps(asked)
    assert "0.4" not in json.dumps(asked)
    assert not {"guess", "confidence", "reason", "path"} & set(asked)


def test_what_the_page_cannot_have_said_is_one_sentence_and_nothing_is_written() -> None:
    before = LEDGER.read_bytes()
    good = {"who": "mira", "tab": "1", "id": TRAIN[0], "label": "ant", "passed": "", "seconds": 1, "again": False}
    bodies = [b"", b"[]", b"\xff", b"[" * 5000, b" " * (MOST + 1)]
    changes = [{"seconds": -1}, {"seconds": 1e9}, {"label": 1}, {"extra": 1}, {"passed": "maybe"}, {"id": "feed"}]
    bodies += [json.dumps({**good, **change}).encode() for change in [*changes, {"label": "<b>"}, {"who": ""}]]
    for body in bodies:
        status, _, text = _ask("/secret/answer", body)
        assert status == 409
        assert json.loads(text)["error"].endswith(".")
    assert _ask("/secret/answer", json.dumps(good).encode(), "text/plain")[0] == 409  # what a foreign form can send
    assert _post("whole", id="feed")[0] == 409
    assert LEDGER.read_bytes() == before


def test_markup_in_class_names_is_text_on_the_page() -> None:
    hostile = "</script><script>alert(1)</script>"
    text, _ = render(**{**PAGE, "classes": ["ant", hostile, '" onclick="x']})
    assert hostile not in text
    assert 'data-label="&#34; onclick=&#34;x"' in text


def test_digits_answer_with_classes_that_are_digits_else_by_place() -> None:
    assert digit_keys(["0", "1", "7"]) == ["0", "1", "7"]
    assert digit_keys(["ant", "1"]) == ["1", "2"]
    assert digit_keys([f"c{number}" for number in range(12)])[8:] == ["9", "0", "", ""]


def test_before_there_is_a_model_label_first_chooses_and_a_new_sitting_asks_the_rest() -> None:
    QUERIES.unlink()
    first = open_batch(open_project(), read_ledger(LEDGER), test=False, count=6)
    ids = [one.id for one in first.questions]
    assert len(set(ids)) == 6
    assert set(ids) <= set(TRAIN)
    append(LEDGER, [{"id": one, "label": "ant", "annotator": "m", "source": "person", "round": 1} for one in ids[:5]])
    again = open_batch(open_project(), read_ledger(LEDGER), test=False, count=6)
    assert ([one.id for one in again.questions], again.round) == (ids, 1)
    append(LEDGER, [{"id": ids[5], "label": "ant", "annotator": "m", "source": "person", "round": 1}])
    more = open_batch(open_project(), read_ledger(LEDGER), test=False, count=6)
    assert not {one.id for one in more.questions} & set(ids)
    assert more.round == 2
    VECTORS.unlink()
    Path(".winnow/first_questions.json").unlink()
    with pytest.raises(WinnowError, match="dvc repro embed"):
        open_batch(open_project(), read_ledger(LEDGER), test=False, count=6)


def test_test_samples_are_asked_about_apart_in_an_order_that_answers_do_not_change() -> None:
    first = open_batch(open_project(), read_ledger(LEDGER), test=True, count=4)
    ids = [one.id for one in first.questions]
    assert set(ids) < set(TEST)
    append(LEDGER, [{"id": ids[1], "label": "ant", "annotator": "m", "source": "person"}])
    again = open_batch(open_project(), read_ledger(LEDGER), test=True, count=4)
    assert [one.id for one in again.questions][:4] == ids
    assert len(again.questions) == 5


def test_without_classes_nobody_can_answer() -> None:
    Path("params.yaml").write_text("{}\n")
    with pytest.raises(WinnowError, match=r"label\.classes: \[cat, dog\]"):
        open_project()


@pytest.fixture
def served() -> Iterator["subprocess.Popen[str]"]:
    process = _started()
    yield process
    process.kill()
    process.communicate()


def _started() -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pipelines.cli", "label", "--again", "0", "--second", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    assert process.stdout.readline() == "Looking up what to ask ...\n"
    assert "20 questions" in process.stdout.readline()
    return process.stdout.readline().split()[2]


def _say(address: str, name: str, headers: dict[str, str] | None = None, **body: Any) -> Any:
    content = json.dumps({"who": "mira", "tab": "1", **body}).encode()
    told = {"Content-Type": "application/json", **(headers or {})}
    with urllib.request.urlopen(urllib.request.Request(address + name, content, told), timeout=60) as reply:
        return json.load(reply)


@pytest.mark.slow
def test_a_server_killed_in_the_middle_has_lost_nothing_and_its_pages_go_on(
    served: "subprocess.Popen[str]", capfd: pytest.CaptureFixture[str]
) -> None:
    address = _address(served)
    asked = _say(address, "ask")
    for label in ("ant", "bee", "cow"):
        asked = _say(address, "answer", id=asked["id"], label=label, seconds=1.0)
    for foreign in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            _say(address, "answer", foreign, id=asked["id"], label="ant")
    other = subprocess.run(served.args, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert other.returncode == 1
    assert f"another `winnow label` (process {served.pid})" in other.stderr
    served.send_signal(signal.SIGKILL)
    served.wait()
    assert counted() == dict(zip(TRAIN, ("ant", "bee", "cow"), strict=False))
    again = _started()
    try:
        assert _address(again).rpartition(":")[2].partition("/")[2] == address.rpartition(":")[2].partition("/")[2]
        assert _say(address, "answer", id=TRAIN[2], label="cow")["done"] == 3
        assert len(read_ledger(LEDGER)) == 3
    finally:
        again.send_signal(signal.SIGTERM)
        _, said = again.communicate(timeout=60)
    assert again.returncode == 130
    assert "0 answers of this sitting are in data/labels/ledger.csv. `winnow label` goes on asking;" in said
    assert said.endswith("winnow: stopped.\n")
    assert Path(".winnow/label_token").stat().st_mode & 0o077 == 0
