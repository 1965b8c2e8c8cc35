"""Who is asked what: nothing lost, nothing doubled, by two people, two pages and a server that dies."""

import multiprocessing
from pathlib import Path

import pytest
from labeling_world import ALONE, TRAIN, build, counted, desk, say, seat

from components.core.errors import WinnowError
from components.datasets.ledger import append, passed_over, read_ledger, without_effect
from pipelines.labeling.desk import HELD, REST, Answer
from pipelines.labeling.places import LEDGER
from pipelines.labeling.sharing import Sharing


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    build()


def test_an_answer_is_in_the_ledger_with_its_seconds_and_round_and_the_next_question_comes() -> None:
    place = desk()
    asked = place.ask(seat())
    assert asked.question is not None
    assert (asked.question.id, asked.done, asked.open) == (TRAIN[0], 0, 20)
    asked = say(place, asked, "bee", seconds=2.34)
    assert asked.question is not None
    assert (asked.question.id, asked.done, asked.open, asked.last) == (TRAIN[1], 1, 19, TRAIN[0])
    row = read_ledger(LEDGER).iloc[0]
    assert (row["label"], row["annotator"], row["source"], row["round"], row["cost"]) == (
        "bee",
        "mira",
        "person",
        1,
        2.3,
    )
    assert row["time"] > 0


def test_a_new_server_goes_on_where_the_last_one_died_in_the_same_round() -> None:
    place = desk()
    asked = place.ask(seat())
    for _ in range(5):
        asked = say(place, asked)
    again = desk().ask(seat())
    assert again.question is not None
    assert (again.question.id, again.done) == (TRAIN[5], 5)
    say(desk(), again)
    assert set(read_ledger(LEDGER)["round"]) == {1}


def test_the_same_answer_sent_twice_is_one_row_and_another_one_is_refused() -> None:
    place = desk()
    said = Answer(who="mira", tab="1", id=TRAIN[0], label="ant", seconds=1)
    place.answer(said)
    desk().answer(said)
    assert len(read_ledger(LEDGER)) == 1
    with pytest.raises(WinnowError, match="on another page already \\('ant'\\): that stays"):
        place.answer(said.model_copy(update={"label": "bee"}))
    assert counted() == {TRAIN[0]: "ant"}


def test_two_pages_and_two_people_are_never_asked_the_same() -> None:
    place = desk()
    seats = [("mira", "1"), ("mira", "2"), ("noor", "1")]
    asked = {one: place.ask(seat(*one)) for one in seats}
    seen = []
    while any(one.question for one in asked.values()):
        for one in seats:
            if asked[one].question:
                seen.append(asked[one].question.id)
                asked[one] = say(place, asked[one], who=one[0], tab=one[1])
    assert sorted(seen) == TRAIN[:20]
    assert len(read_ledger(LEDGER)) == 20
    assert all(one.held == 0 for one in [place.ask(seat(*one)) for one in seats])


def test_a_question_left_open_on_a_page_comes_back_after_a_while() -> None:
    now = [0.0]
    place = desk(clock=lambda: now[0])
    left = place.ask(seat("noor"))
    assert place.ask(seat()).question != left.question
    now[0] = HELD + 1
    assert place.ask(seat()).question == left.question


def test_an_answer_that_comes_late_is_not_lost_though_somebody_else_gave_one() -> None:
    place = desk()
    say(place, place.ask(seat()), "ant")
    place.answer(Answer(who="noor", tab="1", id=TRAIN[0], label="bee"))
    assert (counted("mira"), counted("noor")) == ({TRAIN[0]: "ant"}, {TRAIN[0]: "bee"})


def test_undo_takes_the_last_answers_back_one_by_one_and_asks_them_again() -> None:
    place = desk()
    asked = place.ask(seat())
    for label in ("ant", "bee", "cow"):
        asked = say(place, asked, label)
    for place_ in (2, 1):
        place.undo(seat(), asked.last)
        asked = place.ask(seat(), first=asked.last)
        assert asked.question is not None
        assert asked.question.id == TRAIN[place_]
    assert counted() == {TRAIN[0]: "ant"}
    place.undo(seat(), TRAIN[1])
    assert len(read_ledger(LEDGER)) == 5  # the page that asked twice is heard once
    say(place, asked, "cow")
    assert counted() == {TRAIN[0]: "ant", TRAIN[1]: "cow"}


@pytest.mark.parametrize("why", ["cannot tell", "none of these"])
def test_what_cannot_be_named_is_no_label_and_not_asked_again(why: str) -> None:
    place = desk()
    asked = say(place, place.ask(seat()), "", passed=why)
    assert asked.question is not None
    assert asked.question.id == TRAIN[1]
    assert counted() == {}
    assert passed_over(LEDGER) == {TRAIN[0]}
    assert without_effect(read_ledger(LEDGER)) == {"repeats": [], "withdrawals": [], "older": []}
    noor = desk().ask(seat("noor")).question
    assert noor is not None
    assert noor.id == TRAIN[1]
    append(LEDGER, [{"id": TRAIN[0], "label": "ant", "annotator": "noor", "source": "person"}])
    assert passed_over(LEDGER) == set()


def test_what_is_skipped_comes_last() -> None:
    place = desk()
    place.skip(seat(), TRAIN[0])
    asked = place.ask(seat())
    seen = []
    while asked.question:
        seen.append(asked.question.id)
        asked = say(place, asked)
    assert seen == [*TRAIN[1:20], TRAIN[0]]


def test_some_questions_go_to_a_second_person_who_is_not_told() -> None:
    place = desk(Sharing(second=0.5, again=0))
    shared = [one for one in TRAIN[:20] if Sharing(second=0.5).wanted(one) == 2]
    assert 5 <= len(shared) <= 15
    asked = place.ask(seat())
    while asked.question:
        asked = say(place, asked)
    seen, asked = [], place.ask(seat("noor"))
    while asked.question:
        assert not asked.again
        seen.append(asked.question.id)
        asked = say(place, asked, "bee", who="noor")
    assert seen == shared
    assert place.ask(seat("cy")).question is None


def test_a_tenth_of_the_questions_is_shared_where_nothing_is_said() -> None:
    wanted = [Sharing().wanted(f"{number:016x}") for number in range(2000)]
    assert 0.08 < wanted.count(2) / len(wanted) < 0.12


def test_some_old_questions_come_back_and_can_be_undone_to_what_was_said_first() -> None:
    place = desk(Sharing(second=0, again=0.1))
    asked = place.ask(seat())
    for _ in range(10):
        assert not asked.again
        asked = say(place, asked)
    assert asked.again
    assert asked.question is not None
    old = asked.question.id
    assert old in TRAIN[: 10 - REST]
    asked = say(place, asked, "bee")
    assert counted()[old] == "bee"
    assert not asked.again
    place.undo(seat(), old)
    assert counted()[old] == "ant"
    asked = place.ask(seat(), first=old)
    assert asked.again
    say(place, asked, "ant")
    rows = read_ledger(LEDGER)
    assert rows["note"].tolist()[10:] == ["asked again", "undone", "asked again"]
    assert without_effect(rows)["repeats"] == []


def test_an_answer_counts_though_the_ledger_has_one_from_the_future() -> None:
    future = {"id": TRAIN[0], "label": "cow", "annotator": "mira", "source": "person", "at": "2999-01-01"}
    append(LEDGER, [future])
    place = desk()
    place.undo(seat(), TRAIN[0])
    assert counted() == {}
    place.answer(Answer(who="mira", tab="1", id=TRAIN[0], label="ant"))
    assert counted() == {TRAIN[0]: "ant"}


@pytest.mark.parametrize("wrong", [{"label": "dog"}, {"label": ""}, {"id": "feed"}, {"who": " "}, {"who": "a\x00b"}])
def test_what_cannot_be_is_refused_and_nothing_written(wrong: dict[str, str]) -> None:
    before = LEDGER.read_bytes()
    with pytest.raises(WinnowError):
        desk().answer(Answer(**{"who": "mira", "id": TRAIN[0], "label": "ant", **wrong}))
    assert LEDGER.read_bytes() == before


def _append_many(who: str) -> None:
    for identity in TRAIN[:15]:
        append(LEDGER, [{"id": identity, "label": "ant", "annotator": who, "source": "person"}])


def test_programs_that_write_at_once_lose_and_double_nothing() -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append_many, args=(who,)) for who in ("ann", "bob", "cy")]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    rows = read_ledger(LEDGER)
    assert len(rows) == 45
    assert not rows.duplicated(["id", "annotator"]).any()


def test_a_full_disk_leaves_the_ledger_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    place = desk(ALONE)
    before = LEDGER.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WinnowError, match="cannot be written"):
        place.answer(Answer(who="mira", id=TRAIN[0], label="ant"))
    assert LEDGER.read_bytes() == before
