"""Questions onto a Label Studio server and answers back: none twice, all or none, whoever is killed; nothing told."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_label_studio import BEGUN, KEY, Fake, serving
from labeling_world import TEST, TRAIN, build, counted

from components.core.errors import Unavailable, WinnowError
from components.datasets.ledger import read_ledger
from pipelines.labeling.importing import import_answers
from pipelines.labeling.label_studio import KEY as KEY_NAME
from pipelines.labeling.label_studio import URL as URL_NAME
from pipelines.labeling.places import LEDGER
from pipelines.labeling.pulling import pull_answers
from pipelines.labeling.pushing import push_questions
from pipelines.labeling.waiting import wait_for_answers

MIRA, NOOR = "mira@example.org", "noor@example.org"
KILLER = Path(__file__).with_name("killed_pulls.py")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    build()
    made = Fake()
    with serving(made) as address:
        at(monkeypatch, address)
        yield made


def at(monkeypatch: pytest.MonkeyPatch, address: str, key: str = KEY) -> None:
    monkeypatch.setenv(URL_NAME, address)
    monkeypatch.setenv(KEY_NAME, key)


def push(number: int | None = None, people: int | None = None, *, test: bool = False) -> str:
    return push_questions(number=number, people=people, test=test, count=20)


def pull(number: int | None = None, *, test: bool = False) -> str:
    return pull_answers(number=number, test=test)


def written() -> int:
    return len(read_ledger(LEDGER))


def test_what_is_pushed_is_asked_once_however_often_it_is_pushed(fake: Fake) -> None:
    assert "20 tasks joined project 1 of Label Studio" in push()
    data, prediction = fake.tasks[1]["data"], fake.tasks[1]["predictions"][0]
    assert (data["sample_id"], data["sha256"]) == (TRAIN[0], TRAIN[0] * 4)
    assert data["picture"].startswith("data:image/png;base64,")
    assert (prediction["score"], prediction["result"][0]["value"]) == (0.4, {"choices": ["bee"]})
    made = fake.projects[1]
    assert '<Choice value="cow"/>' in made["label_config"]
    assert (made["maximum_annotations"], made["show_collab_predictions"]) == (1, False)
    assert "0 tasks joined project 1 of Label Studio" in push(people=2)
    push()
    assert (len(fake.projects), len(fake.tasks), fake.projects[1]["maximum_annotations"]) == (1, 20, 2)


def test_a_push_that_broke_off_is_finished_by_the_next(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.labeling.pushing.TOGETHER", 8)
    say, left = fake.say, [2]

    def tiring(method: str, path: str, query: dict[str, str], said: Any) -> tuple[int, Any]:
        if path.endswith("/import"):
            left[0] -= 1
            if left[0] < 0:
                return 502, {}
        return say(method, path, query, said)

    monkeypatch.setattr(fake, "say", tiring)
    with pytest.raises(Unavailable, match=r"has failed \(502\)"):
        push()
    assert len(fake.tasks) == 16
    left[0] = 99
    assert "4 tasks joined project 1 of Label Studio" in push()
    assert len({task["data"]["sample_id"] for task in fake.tasks.values()}) == len(fake.tasks) == 20


def test_two_who_disagree_and_one_who_skips_come_in_once_with_the_round(fake: Fake) -> None:
    push()
    fake.annotate(TRAIN[0], 1, "ant")
    fake.annotate(TRAIN[0], 2, "bee")
    fake.annotate(TRAIN[1], 2)
    said = pull()
    assert "2 labels joined" in said
    assert '1 "cannot tell", "none of these" or skipped' in said
    assert f"1 of these samples have labels that disagree ({TRAIN[0]})" in said
    rows = read_ledger(LEDGER)
    assert rows["annotator"].tolist() == [MIRA, NOOR, NOOR]
    assert rows["round"].tolist() == [1, 1, 1]
    assert "2 labels joined" not in pull()
    assert written() == 3


def test_a_pull_asks_for_what_changed_since_and_brings_no_more(fake: Fake) -> None:
    push()
    for one in TRAIN[:10]:
        fake.annotate(one, 1, "ant")
    pull()
    fake.clock += timedelta(hours=1)
    number = fake.annotate(TRAIN[10], 1, "cow")
    fake.asked.clear()
    assert "1 label joined" in pull()
    assert "filters" in json.loads(next(query for _, path, query in fake.asked if path == "/api/tasks/")["query"])
    assert written() == 11
    fake.delete(TRAIN[10], number)
    assert "1 taken back" in pull()
    assert len(counted(MIRA)) == 10
    before = LEDGER.read_bytes()
    pull()
    assert LEDGER.read_bytes() == before


def test_an_older_ledger_gets_all_of_it_back(fake: Fake) -> None:
    before = LEDGER.read_bytes()
    push()
    fake.annotate(TRAIN[0], 1, "ant")
    fake.clock += timedelta(hours=1)
    fake.annotate(TRAIN[1], 1, "ant")
    pull()
    LEDGER.write_bytes(before)  # as git brings an earlier one back
    assert "2 labels joined" in pull()


def test_projects_that_number_alike_do_not_take_each_others_answers_back(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    push()
    fake.annotate(TRAIN[0], 1, "ant")
    pull()
    other = Fake(begun=BEGUN + timedelta(days=1))
    with serving(other) as address:
        at(monkeypatch, address)
        with pytest.raises(WinnowError, match=r"this folder has no project on that Label Studio"):
            pull()
        push()  # all but the one that has an answer
        other.annotate(TRAIN[1], 2, "cow")
        other.tasks[1]["data"] = fake.tasks[1]["data"]  # so the number and the sample are those of the first one's task
        other.annotate(TRAIN[0], 2, "bee")
        assert "taken back" not in pull()
    assert counted(MIRA) == {TRAIN[0]: "ant"}


def test_what_was_pulled_is_known_in_the_same_projects_file(fake: Fake) -> None:
    push()
    fake.annotate(TRAIN[0], 1, "ant")
    gone = fake.annotate(TRAIN[1], 1, "bee")
    pull()
    fake.delete(TRAIN[1], gone)
    Path("export.json").write_text(json.dumps(list(fake.tasks.values())))  # which names people by numbers
    said = import_answers(Path("export.json"), annotator="", test=False)
    assert "1 in the ledger already" in said
    assert "1 taken back" in said
    assert counted(MIRA) == {TRAIN[0]: "ant"}


def test_answers_about_test_samples_are_left_out_unless_they_are_what_is_pulled(fake: Fake) -> None:
    push()
    push(test=True)
    fake.annotate(TRAIN[0], 1, "ant")
    fake.annotate(TEST[0], 1, "bee")
    assert "1 about test samples: left out" in pull()
    assert counted(MIRA) == {TRAIN[0]: "ant"}
    assert "1 label joined" in pull(test=True)


def test_one_answer_that_cannot_be_keeps_all_out_until_it_is_mended(fake: Fake) -> None:
    push()
    fake.annotate(TRAIN[0], 1, "ant")
    fake.annotate(TRAIN[1], 1, "ants")
    before = LEDGER.read_bytes()
    with pytest.raises(WinnowError, match=r"1 of no class there is.*mend or delete them there and pull again"):
        pull()
    assert LEDGER.read_bytes() == before
    fake.task_about(TRAIN[1])["annotations"].clear()
    assert "1 label joined" in pull()


def test_a_token_that_expires_is_bought_anew_and_one_that_is_refused_ends_it(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.good = 2
    push()
    fake.annotate(TRAIN[0], 1, "ant")
    assert "1 label joined" in pull()
    assert fake.bought > 2
    fake.good = 0
    with pytest.raises(WinnowError, match="does not take LABEL_STUDIO_API_KEY"):
        pull()
    for key, says in ((KEY[:-1], "make a personal access token"), ("0123456789abcdef", "is a legacy token")):
        at(monkeypatch, os.environ[URL_NAME], key)
        with pytest.raises(WinnowError, match=says):
            pull()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "set both in the environment"),
        ("localhost:8080", "must be an address such as"),
        ("http://me:word@127.0.0.1:9", "without a user, a password"),
        ("http://127.0.0.1:9", r"does not answer at LABEL_STUDIO_URL \(ConnectError\)"),
    ],
)
def test_an_address_that_cannot_be_is_told(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, address: str, says: str
) -> None:
    at(monkeypatch, address)
    with pytest.raises(WinnowError, match=says):
        push()


@pytest.mark.parametrize(("status", "says"), [(403, "down"), (301, "sends elsewhere"), (500, "has failed")])
def test_what_a_server_refuses_is_told_without_the_token(fake: Fake, status: int, says: str) -> None:
    fake.say = lambda *_: (status, {"detail": f"down, {KEY}"})  # type: ignore[method-assign]
    with pytest.raises(WinnowError, match=says) as error:
        push()
    assert KEY not in str(error.value)


def test_waiting_pulls_and_bears_a_server_that_is_away_for_a_while(fake: Fake) -> None:
    push()
    slept, said = list[float](), list[str]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        fake.down = 503 if len(slept) == 1 else 0
        if len(slept) == 2:
            for one in TRAIN[:20]:
                fake.annotate(one, 1, "ant")

    assert wait_for_answers(8, said.append, sleep=sleep, clock=lambda: sum(slept)).answered == 20
    assert any("has failed (503)" in one for one in said)
    assert len(counted(MIRA)) == 20


def test_neither_address_nor_token_is_written_anywhere(fake: Fake) -> None:
    push()
    fake.annotate(TRAIN[0], 1, "ant")
    pull()
    address = os.environ[URL_NAME].removeprefix("http://").encode()
    for path in Path().rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret in content for secret in (KEY.encode(), b"bought", address)), path


def test_a_project_with_other_choices_is_left_as_it_is(fake: Fake) -> None:
    push()
    fake.projects[1]["parsed_label_config"] = {"label": {"labels": ["ant"]}}
    with pytest.raises(WinnowError, match="project 1 of Label Studio has no choice 'bee' by the name label"):
        push(1)
    with pytest.raises(WinnowError, match="has no project 7"):
        push(7)
    push()  # its own is brought up to date
    assert '<Choice value="bee"/>' in fake.projects[1]["label_config"]


def test_pulls_killed_at_random_moments_lose_nothing_and_double_nothing(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    push()
    say, said = fake.say, list[tuple[str, str]]()

    def answering(method: str, path: str, query: dict[str, str], content: Any) -> tuple[int, Any]:
        if path == "/api/tasks/" and query["page"] == "1" and len(said) < 200:  # somebody answers before each pull
            sample, who = TRAIN[len(said) % 20], 3 + len(said) // 20
            task = fake.task_about(sample)
            now = fake.tick()
            choice = {"type": "choices", "from_name": "label", "value": {"choices": ["ant"]}}
            one = {"id": len(said) + 1, "completed_by": who, "result": [choice], "updated_at": now}
            task["annotations"].append(one)
            task["updated_at"] = now
            said.append((sample, f"label_studio:{who}"))
        return say(method, path, query, content)

    monkeypatch.setattr(fake, "say", answering)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, str(KILLER), "20"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wrote, ended = map(int, done.stdout.split())
    assert wrote < 20, "every kill fell after what it was to hit"
    assert ended < 20
    pull()
    rows = read_ledger(LEDGER)
    assert sorted(rows[["id", "annotator"]].itertuples(index=False, name=None)) == sorted(said)
