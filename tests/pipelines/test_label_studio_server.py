"""A real Label Studio on loopback: what is pushed shows there, and what people say there comes back, once.

`make test-labeling` makes the environment that it runs in; without one these tests are skipped.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from labeling_world import TRAIN, build, counted

from components.core.errors import WinnowError
from components.datasets.ledger import read_ledger
from pipelines.labeling.label_studio import KEY, URL
from pipelines.labeling.places import LEDGER
from pipelines.labeling.pulling import pull_answers
from pipelines.labeling.pushing import push_questions

COMMAND = "LABEL_STUDIO_COMMAND"
PATIENCE = 900.0  # seconds for the first start, which makes all of its tables
PEOPLE = ("one@example.org", "two@example.org", "three@example.org")

pytestmark = [pytest.mark.slow, pytest.mark.labeling]


class Person:
    """Somebody with an account there, and a personal access token of their own."""

    def __init__(self, address: str, email: str, password: str, *, new: bool) -> None:
        self._client = httpx.Client(base_url=address, timeout=120)
        page = "/user/signup/" if new else "/user/login/"
        self._client.get(page)
        said = {"email": email, "password": password, "csrfmiddlewaretoken": self._client.cookies["csrftoken"]}
        said |= {"allow_newsletters": "false"} if new else {}
        assert self._client.post(page, data=said, headers={"Referer": address + page}).status_code == 302
        self.token: str = self.ask("POST", "/api/token/")["token"]

    def close(self) -> None:
        self._client.close()

    def ask(self, method: str, path: str, said: Any = None) -> Any:
        headers = {"X-CSRFToken": self._client.cookies["csrftoken"], "Referer": str(self._client.base_url)}
        reply = self._client.request(method, path, json=said, headers=headers)
        assert reply.status_code < 300, reply.text
        return reply.json() if reply.content else None

    def answer(self, task: int, label: str = "") -> int:
        """A label, or without one the skip button."""
        choice = {"type": "choices", "from_name": "label", "to_name": "image", "value": {"choices": [label]}}
        said = {"result": [choice] if label else [], "was_cancelled": not label, "lead_time": 2.5}
        made: int = self.ask("POST", f"/api/tasks/{task}/annotations/", said)["id"]
        return made

    def tasks(self) -> dict[str, Any]:
        """By sample, those of the only project, with what is known of them."""
        said = self.ask("GET", "/api/tasks/?project=1&fields=all&page_size=400")
        return {one["data"]["sample_id"]: one for one in said["tasks"]}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[Person]]]:
    """The server's address and three people of it."""
    command = os.environ.get(COMMAND)
    if not command or shutil.which(command) is None:
        pytest.skip(f"needs Label Studio in an environment of its own, which {COMMAND} names: make test-labeling")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    password, home = secrets.token_hex(9), tmp_path_factory.mktemp("label_studio")
    own = {"LABEL_STUDIO_BASE_DATA_DIR": str(home), "DJANGO_DB": "sqlite", "COLLECT_ANALYTICS": "false"}
    own |= {"LATEST_VERSION_CHECK": "false", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
    others = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LABEL_STUDIO"))}
    options = ["--no-browser", "--port", str(port), "--internal-host", "127.0.0.1"]
    account = ["--username", PEOPLE[0], "--password", password]
    address = f"http://127.0.0.1:{port}"
    with (
        (home / "server.log").open("w") as log,
        subprocess.Popen(
            [command, "start", *options, *account],
            cwd=home,
            env={**others, **own},
            stdout=log,
            stderr=log,
            process_group=0,
        ) as server,
    ):
        try:
            _wait(server, address, home / "server.log")
            with ExitStack() as stack:
                made = [Person(address, one, password, new=one != PEOPLE[0]) for one in PEOPLE]
                for person in made:
                    stack.enter_context(closing(person))
                yield address, made
        finally:
            os.killpg(server.pid, signal.SIGKILL)


def _wait(server: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{address}/health", timeout=10).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(1)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")


def test_a_round_with_people_who_disagree_and_skip(
    people: tuple[str, list[Person]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, (owner, one, two) = people
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(URL, address)
    monkeypatch.setenv(KEY, owner.token)
    build()

    def push(people: int = 2) -> str:
        return push_questions(number=None, people=people, test=False, count=20)

    assert "20 tasks joined project 1 of Label Studio" in push()
    assert "0 tasks joined project 1 of Label Studio" in push()
    there = owner.tasks()
    assert list(there) == TRAIN[:20]
    first = there[TRAIN[0]]
    assert first["data"]["picture"].startswith("data:image/png;base64,")
    assert (first["data"]["sha256"], first["predictions"][0]["score"]) == (TRAIN[0] * 4, 0.4)
    assert first["predictions"][0]["result"][0]["value"] == {"choices": ["bee"]}
    number = {sample: task["id"] for sample, task in there.items()}

    one.answer(number[TRAIN[0]], "ant")
    two.answer(number[TRAIN[0]], "bee")
    one.answer(number[TRAIN[1]])  # skipped
    gone = two.answer(number[TRAIN[2]], "cow")
    said = pull_answers(number=None, test=False)
    assert "3 labels joined" in said
    assert '1 "cannot tell", "none of these" or skipped' in said
    assert f"1 of these samples have labels that disagree ({TRAIN[0]})" in said
    before = LEDGER.read_bytes()
    assert "0 labels joined" in pull_answers(number=None, test=False)
    assert LEDGER.read_bytes() == before
    assert read_ledger(LEDGER)["annotator"].tolist() == [PEOPLE[1], PEOPLE[2], PEOPLE[1], PEOPLE[2]]

    two.ask("DELETE", f"/api/annotations/{gone}/")
    one.answer(number[TRAIN[3]], "bee")
    said = pull_answers(number=None, test=False)
    assert "1 label joined" in said
    assert "1 taken back" in said
    assert counted(PEOPLE[2]) == {TRAIN[0]: "bee"}
    assert counted(PEOPLE[1]) == {TRAIN[0]: "ant", TRAIN[3]: "bee"}

    Path("params.yaml").write_text("label: {classes: [ant, bee, cow, dog]}\n")
    push()  # the choices there are brought up to date
    one.answer(number[TRAIN[4]], "dog")
    assert "1 label joined" in pull_answers(number=None, test=False)

    monkeypatch.setenv(KEY, owner.token[:-4] + "aaaa")
    with pytest.raises(WinnowError, match="does not take LABEL_STUDIO_API_KEY"):
        push()
