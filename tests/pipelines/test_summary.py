"""The summary says what a person wants to know, aligned, from the files the stages wrote."""

import json
from pathlib import Path

import pytest

from components.core.errors import WinnowError
from components.core.model_versions import Version
from pipelines import summary

METRICS = {"accuracy": 0.97, "accuracy_low": 0.95, "accuracy_high": 0.98, "control_accuracy": 0.9, "labels_used": 40}


@pytest.fixture
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = {
        "evaluate/metrics.json": {**METRICS, "test_samples": 500},
        "register/version.json": {"name": "toys", "version": 2, "gate": {"passed": False, "why": "not surely better."}},
        "finetune/guard.json": {"shipped": "pseudo_labels", "why": "they win on all folds."},
        "finetune/second_control.json": {"kind": "scratch", "why": "from scratch is worse."},
    }
    for name, facts in files.items():
        path = Path("data", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(facts))
    Path("data/report").mkdir()
    Path("data/report/report.html").write_text("")
    Path("params.yaml").write_text("label: {budget: 40}\n")
    served = [Version("toys", 2, "", "", aliases=("challenger",)), Version("toys", 1, "", "", aliases=("champion",))]
    monkeypatch.setattr(summary, "versions", lambda name: served)


@pytest.mark.usefixtures("_project")
def test_every_line_is_there_and_aligned() -> None:
    assert summary.summarize(61.4).splitlines() == [
        "labels used         40, validation included",
        "more labels         `winnow label` asks for them; or raise label.budget (now 40)",
        "test accuracy       0.9700 (0.9500 to 0.9800) on 500 test samples",
        "label-only control  0.9000",
        "shipped             they win on all folds.",
        "second control      from scratch is worse.",
        "model               toys version 2: is the newest (challenger); version 1 serves",
        "gate                not passed: not surely better.",
        "report              data/report/report.html",
        "runs and models     make ui",
        "time                61 s",
    ]


@pytest.mark.usefixtures("_project")
def test_what_the_accuracy_has_to_beat_is_said_and_where_it_does_not() -> None:
    path = Path("data/evaluate/metrics.json")
    rows = {
        "the most frequent class": {"accuracy": 0.12},
        "logistic regression on small pixels": {"accuracy": 0.9},
    }
    beside = {"chance": 0.1, "rows": rows, "why": ""}
    path.write_text(json.dumps({**METRICS, "test_samples": 500, "baselines": beside}))
    told = "chance 0.1000, the most frequent class 0.1200, logistic regression on small pixels 0.9000"
    assert dict(summary.rows())["to beat"] == told
    assert "not beaten" not in dict(summary.rows())
    path.write_text(json.dumps({**METRICS, "test_samples": 500, "baselines": {**beside, "why": "It does not."}}))
    assert dict(summary.rows())["not beaten"] == "It does not."


@pytest.mark.usefixtures("_project")
def test_rules_are_counted_where_there_are_some() -> None:
    path = Path("data/label/rule_figures.csv")
    path.parent.mkdir()
    path.write_text("rule,matches,labeled,right\n")
    assert "rules" not in dict(summary.rows())
    path.write_text("rule,matches,labeled,right\nboat,12,4,3\nzebra,0,0,0\n")
    told = "2 in data/labels/rules.csv, 1 of them without a match; right 3 of 4 times on labels"
    assert dict(summary.rows())["rules"] == told


@pytest.mark.usefixtures("_project")
def test_before_the_end_of_a_first_run_it_says_what_to_do() -> None:
    Path("data/register/version.json").unlink()
    with pytest.raises(WinnowError, match=r"data/register/version\.json is not there yet: run `winnow repro` first"):
        summary.summarize()


@pytest.mark.usefixtures("_project")
def test_without_a_budget_it_says_that_all_labels_there_were_are_used() -> None:
    Path("params.yaml").write_text("label: {budget: }\n")
    assert "all that the data came with are used" in dict(summary.rows())["more labels"]


def test_one_version_may_be_champion_and_challenger_at_once() -> None:
    assert summary.role(("challenger", "champion")) == "serves (champion) and is the newest (challenger)"
    assert summary.role(("champion", "best")) == "serves (champion), best"
    assert summary.role(()) == ""


def test_a_round_says_what_its_labels_have_bought() -> None:
    was = {"accuracy": 0.7, "accuracy_low": 0.6, "accuracy_high": 0.8, "labels_used": 20, "test_samples": 100}
    round_ = {
        "version": 1,
        "labels": 40,
        "before": was,
        "same_test": True,
        "difference": 0.1,
        "low": 0.02,
        "high": 0.18,
    }
    said = dict(summary._bought(round_))["the round"]
    assert said.startswith("40 labels since version 1, which had 0.7000 (0.6000 to 0.8000): difference +0.1000, paired")
    assert dict(summary._bought({**round_, "difference": None}))["the round"].endswith("on the same test samples")
    assert summary._bought(None) == []
