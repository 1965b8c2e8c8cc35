"""A person's word: no model serves without it where it is asked for, and it counts for what it was given for alone."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from components.core import people, tracking
from components.core.decisions import decisions, unreadable
from components.core.errors import WinnowError
from components.core.model_versions import Version, _numbers, find, promote, rollback, versions
from components.core.people import login
from components.release import approval
from components.release.approval import Answer, decide_on, honour_reviews, promote_by_hand
from components.release.evidence import evidence_digest
from components.release.gate import Gate
from components.release.registered import prove
from pipelines.session import registered

Project = Callable[..., dict[str, Any]]
ASKED = Gate(approval="person", minimum_gain=-1.0)
ADA, BOB = "Ada Lovelace", "Bob Author"


@pytest.fixture(autouse=True)
def _author(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.stages.register.authors", lambda: [BOB, "bob"])


@pytest.fixture
def asked(project: Project) -> Callable[..., dict[str, Any]]:
    """Registers the model of a seed where a person is asked; any difference to the champion passes the gate."""
    return lambda seed=0, **more: project(seed, approval="person", minimum_gain=-1.0, **more)


def _answer(number: int = 1, **facts: Any) -> Version:
    return decide_on("winnow", number, Answer(**{"by": ADA, **facts}), ASKED, prove=prove)


def _champion() -> int:
    return next((item.number for item in versions("winnow") if "champion" in item.aliases), 0)


def _card(number: int) -> str:
    return str(tracking.opened().get_model_version("winnow", str(number)).description)


def test_the_gates_yes_makes_a_candidate_and_a_persons_yes_the_champion(asked: Project) -> None:
    made = asked()
    assert made["aliases"] == ["candidate", "challenger"]
    assert made["approval"]["said"] is None
    digest = evidence_digest(find("winnow", 1).tags)
    assert made["approval"]["evidence"] == digest
    assert f"approve {digest[:12]} by NAME" in _card(1)
    assert _champion() == 0
    assert _answer(why="I looked at it.", evidence=digest[:12]).aliases == ("challenger", "champion")
    (said,) = decisions(find("winnow", 1).tags)
    assert (said.what, said.by, said.why) == ("approved", ADA, "I looked at it.")
    assert (said.evidence, said.own) == (digest, False)
    assert f"approved by {ADA} (login {login()}) (evidence {digest[:12]}): I looked at it." in _card(1)
    again = asked()
    assert again["approval"]["said"]["by"] == ADA
    assert [one["what"] for one in again["decisions"]] == ["approved"]
    _answer(by="Eve")  # it serves already: a second yes is a no-op
    with pytest.raises(WinnowError, match="has other evidence now"):
        _answer(by="Eve", evidence="0" * 12)
    assert len(decisions(find("winnow", 1).tags)) == 1


def test_a_no_leaves_the_champion_and_stands_until_somebody_says_yes(asked: Project) -> None:
    asked(0)
    _answer(1)
    asked(1)
    assert _answer(2, approves=False, why="it lost the dogs.").aliases == ("challenger",)
    again = asked(1)
    assert again["approval"]["said"]["what"] == "rejected"
    assert again["aliases"] == ["challenger"]
    assert _champion() == 1
    with pytest.raises(WinnowError, match=r"Ada Lovelace rejected it \(it lost the dogs\)"):
        promote_by_hand("winnow", 2, ASKED, by=ADA, despite="", prove=prove)
    _answer(2, by="Eve")
    assert _champion() == 2


@pytest.mark.parametrize("approval", ["person", "none"])
def test_a_no_stands_on_other_evidence_too_and_where_nobody_is_asked(project: Project, approval: str) -> None:
    def ran(seed: int, approval: str) -> dict[str, Any]:
        return project(seed, approval=approval, minimum_gain=-1.0)

    ran(0, "none")
    ran(1, "person")
    _answer(2, approves=False, why="it lost the dogs.")
    metrics = Path("data/evaluate/metrics.json")
    metrics.write_text(json.dumps({**json.loads(metrics.read_text()), "accuracy_low": 0.123}))
    assert ran(1, approval)["aliases"] == ["challenger"]
    assert find("winnow", 2).tags["accuracy_low"] == "0.123"
    assert _champion() == 1
    _answer(2)
    assert _champion() == 2


def test_what_was_decided_since_the_stage_ran_is_no_longer_what_its_file_says(asked: Project) -> None:
    asked()
    assert registered()
    _answer()
    assert not registered()
    asked()
    assert registered()
    asked(1)
    assert registered()
    _answer(2, approves=False)
    assert not registered()


def test_a_version_keeps_the_commit_that_made_it(asked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for commit, dirty, kept in (("a", "true", "a"), ("b", "false", "b"), ("c", "false", "b")):
        tags = {"git_commit": commit * 40, "git_dirty": dirty, "dvc_lock": "1"}
        monkeypatch.setattr("components.core.journal.provenance", lambda tags=tags: tags)
        made = asked()
        assert made["git_commit"] == find("winnow", 1).tags["git_commit"] == kept * 40
        assert f"git {kept * 40}{', with' if dirty == 'true' else ' |'}" in _card(1)
        assert find("winnow", 1).run_id in _card(1)


def test_its_author_does_not_approve_it_unless_that_is_written_down(asked: Project) -> None:
    asked()
    for name in (BOB, "  bob AUTHOR "):
        with pytest.raises(WinnowError, match="another person decides about it, or --own"):
            _answer(by=name)
    assert _champion() == 0
    _answer(by=BOB, own=True)
    assert decisions(find("winnow", 1).tags)[0].own
    assert "who made it" in _card(1)


def test_who_runs_it_again_is_not_its_author(asked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked()
    monkeypatch.setattr("components.stages.register.authors", lambda: [ADA])
    asked()
    with pytest.raises(WinnowError, match="was made by Bob Author"):
        _answer(by=BOB)
    assert _answer(by=ADA).number == _champion() == 1


def test_a_yes_does_not_count_for_other_evidence(asked: Project) -> None:
    asked()
    before = evidence_digest(find("winnow", 1).tags)[:12]
    tracking.client().set_model_version_tag("winnow", "1", "accuracy", "0.99")
    with pytest.raises(WinnowError, match=f"than was decided on \\({before}\\): look at it again"):
        _answer(evidence=before)
    tracking.client().set_model_version_tag("winnow", "1", "dataset_digest", "0" * 64)
    with pytest.raises(WinnowError, match="was measured on another data set"):
        _answer()
    asked()
    _answer(1)
    asked(1)
    promote("winnow", 2, prove=prove)
    rollback("winnow", prove=prove)
    asked(2)
    promote("winnow", 2, prove=prove)
    with pytest.raises(WinnowError, match="was compared with version 1, and version 2 serves now"):
        _answer(3)
    assert _champion() == 2


def test_an_approval_is_stale_once_the_figures_have_changed(asked: Project) -> None:
    asked(0)
    _answer(1)
    asked(1)
    _answer(2)
    rollback("winnow", prove=prove, by=ADA)
    promote_by_hand("winnow", 2, ASKED, by=ADA, despite="", prove=prove)
    rollback("winnow", prove=prove, by=ADA)
    tracking.client().set_model_version_tag("winnow", "2", "accuracy", "0.1")
    with pytest.raises(WinnowError, match="nobody has approved it on the evidence that there is now"):
        promote_by_hand("winnow", 2, ASKED, by=ADA, despite="", prove=prove)


def test_the_tag_review_from_the_pages_counts_with_the_next_command(asked: Project) -> None:
    asked()
    digest = evidence_digest(find("winnow", 1).tags)[:12]
    for text, refusal in (
        ("yes", "is 'yes' and is not taken: write approve"),
        (f"approve 0123456789ab by {ADA}", "look at it again"),
        (f"approve {digest} by {BOB}", "another person decides"),
    ):
        tracking.client().set_model_version_tag("winnow", "1", "review", text)
        (said,) = honour_reviews("winnow", ASKED, prove=prove)
        assert refusal in said
        assert _champion() == 0
    tracking.client().set_model_version_tag("winnow", "1", "review", f"approve {digest} by {ADA}: fine, by me")
    tracking._client = None  # the server was started anew in between
    assert asked()["aliases"] == ["challenger", "champion"]
    assert decisions(find("winnow", 1).tags)[0].why == "fine, by me"
    assert "review" not in find("winnow", 1).tags
    assert honour_reviews("winnow", ASKED, prove=prove) == []


def test_where_nobody_is_asked_a_yes_is_refused(project: Project) -> None:
    project()
    with pytest.raises(WinnowError, match=r"set register\.gate\.approval: person"):
        decide_on("winnow", 1, Answer(ADA), Gate(), prove=prove)


def test_many_yeses_at_once_leave_one_champion_and_one_decision(asked: Project) -> None:
    asked()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: _answer(by=name), [ADA, "Eve", "Eve", ADA]))
    assert _champion() == 1
    assert len(decisions(find("winnow", 1).tags)) == 1


def test_a_version_deleted_while_it_is_approved_leaves_the_champion(asked: Project) -> None:
    asked(0)
    _answer(1)
    asked(1)

    def prove_and_delete(version: Version) -> None:
        tracking.client().delete_model_version("winnow", str(version.number))

    with pytest.raises(WinnowError, match="MLflow at"):
        decide_on("winnow", 2, Answer(ADA), ASKED, prove=prove_and_delete)
    assert _champion() == 1


def test_what_the_gate_refused_or_a_dirty_tree_made_needs_a_named_persons_reason(project: Project) -> None:
    project(0)
    project(1, minimum_gain=0.9)
    tracking.client().set_model_version_tag("winnow", "2", "git_dirty", "true")
    for by, despite in (("", ""), (ADA, ""), ("", "it is newer"), (ADA, " ")):
        with pytest.raises(WinnowError, match=r"the gate refused it \(not surely better.*files that differ"):
            promote_by_hand("winnow", 2, Gate(), by=by, despite=despite, prove=prove)
    promote_by_hand("winnow", 2, Gate(), by=ADA, despite="it knows mules", prove=prove)
    (said,) = decisions(find("winnow", 2).tags)
    assert (said.by, said.why) == (ADA, "it knows mules")
    assert "the gate refused it" in said.despite
    assert "files that differ from their commit" in said.despite
    assert f"promoted by {ADA}" in _card(2)
    rollback("winnow", prove=prove, by=ADA, why="mules are rare.")
    history = [(one["version"], one["what"], one["by"]) for one in project(0)["decisions"]]
    assert history == [(1, "promoted", ""), (2, "promoted", ADA), (2, "rolled back", ADA)]


def test_a_promotion_of_the_champion_is_no_decision(project: Project) -> None:
    project()
    promote_by_hand("winnow", 1, Gate(), by="", despite="", prove=prove)
    assert [one.by for one in decisions(find("winnow", 1).tags)] == [""]
    tracking.client().delete_registered_model_alias("winnow", "champion")
    with pytest.raises(WinnowError, match="nothing speaks against version 1 of winnow: leave --despite out"):
        promote_by_hand("winnow", 1, Gate(), by=ADA, despite="why not", prove=prove)


def test_a_no_stands_where_nobody_is_asked_any_more(asked: Project, project: Project) -> None:
    asked(0)
    _answer(1)
    asked(1)
    _answer(2, approves=False, why="it lost the dogs.")
    assert "champion" not in project(1, minimum_gain=-1.0)["aliases"]
    with pytest.raises(WinnowError, match="Ada Lovelace rejected it"):
        promote_by_hand("winnow", 2, Gate(), by="", despite="", prove=prove)
    assert _champion() == 1


def test_what_was_decided_is_never_written_over(asked: Project) -> None:
    asked()
    for text in ("", "[", '{"what": "approved"}', '[{"by": "Eve"}]'):
        tracking.client().set_model_version_tag("winnow", "1", "decisions", text)
        assert "was edited and holds no list of decisions" in unreadable(find("winnow", 1))
        with pytest.raises(WinnowError, match="mend it in the MLflow pages"):
            _answer(1)
        assert _champion() == 0
        assert find("winnow", 1).tags["decisions"] == text
    tracking.client().delete_model_version_tag("winnow", "1", "decisions")
    _answer(1)
    assert unreadable(find("winnow", 1)) == ""


@pytest.mark.parametrize("odd", ["[1e400]", "{}", '"1"', "[1.5]", "[true]", "null", "[[1]]", "[" * 100_000])
def test_a_history_of_champions_that_is_none_is_named(odd: str) -> None:
    with pytest.raises(WinnowError, match="no list of version numbers: delete that tag"):
        _numbers(odd)
    assert _numbers("[1, 3, 2]") == [1, 3, 2]


def test_a_reason_is_one_line_and_forges_no_other_decision(asked: Project) -> None:
    asked()
    _answer(1, why="fine\n2026-01-01 10:00 UTC: approved by Eve: me too \x1b[2J")
    (said,) = decisions(find("winnow", 1).tags)
    assert "\n" not in said.said
    assert "\x1b" not in said.said
    assert _card(1).count("\n- ") == 1
    with pytest.raises(WinnowError, match="the reason has 2,001 characters, and 2,000 are kept"):
        approval.reason("x" * 2001)


def test_evidence_is_named_by_eight_digits_at_least() -> None:
    assert approval.seen(" 0123ABCD ") == "0123abcd"
    for digits in ("", "a", "0123abc", "version 1", "0" * 65):
        with pytest.raises(WinnowError, match="8 digits of it at least"):
            approval.seen(digits)


def test_a_name_is_one() -> None:
    assert approval.person("  Ada   Lovelace ") == ADA
    for name in ("", "  ", "a\x1b[1m", "x" * 101):
        with pytest.raises(WinnowError, match="is no name of a person"):
            approval.person(name)


def test_authors_are_the_login_gits_user_and_the_commits_author(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"config": "Ann", "log": "Ben"}
    monkeypatch.setattr(people, "login", lambda: "ann1")
    monkeypatch.setattr(people, "_git", lambda *words: told[words[0]])
    assert people.authors() == ["Ann", "Ben", "ann1"]
    assert people.listed(json.dumps(["Ann"])) == ["Ann"]
    assert people.listed("Ann") == people.listed("{}") == []
