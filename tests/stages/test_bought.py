"""What a round has bought: a version beside the one before it, paired only where the gate has compared the two."""

from pathlib import Path

import pytest
from evaluated_world import Project

from components.core.model_versions import Version
from components.release.bought import bought
from components.release.gate import Decision
from components.release.test_set import TAG

FIGURES = {"accuracy_low": "0.6", "accuracy_high": "0.8", "test_samples": "100"}


def version(number: int, accuracy: float, labels: int, test: str = "same") -> Version:
    tags = {"accuracy": f"{accuracy:.6g}", "labels_used": str(labels), TAG: test, **FIGURES}
    return Version("toys", number, "", "", tags=tags)


def verdict(against: str) -> Decision:
    return Decision(True, "why", against, 0.1, 0.02, 0.18)


def test_the_first_version_has_bought_nothing() -> None:
    one = version(1, 0.7, 20)
    assert bought(one, verdict("control"), [one]) is None


def test_labels_and_both_accuracies_and_the_paired_difference_are_told() -> None:
    one, two, three = version(1, 0.6, 10), version(2, 0.7, 20), version(3, 0.8, 60)
    found = bought(three, verdict("version 2"), [three, two, one])
    assert found is not None
    assert (found["version"], found["labels"], found["same_test"]) == (2, 40, True)
    assert (found["before"]["accuracy"], found["now"]["accuracy"]) == (0.7, 0.8)
    assert (found["difference"], found["low"], found["high"]) == (0.1, 0.02, 0.18)


def test_what_the_gate_has_not_compared_has_no_paired_difference() -> None:
    one, two = version(1, 0.7, 20), version(2, 0.8, 15, test="other")
    found = bought(two, verdict("version 7"), [two, one])
    assert found is not None
    assert (found["difference"], found["labels"], found["same_test"]) == (None, -5, False)


@pytest.mark.parametrize("tags", [{}, {"accuracy": "good", **FIGURES}])
def test_a_version_without_figures_is_compared_with_nothing(tags: dict[str, str]) -> None:
    two = version(2, 0.8, 60)
    assert bought(two, verdict("version 1"), [two, Version("toys", 1, "", "", tags=tags)]) is None


def test_the_report_says_what_the_round_has_bought(tmp_path: Path) -> None:
    made = Project(tmp_path)
    one, two = version(1, 0.7, 20), version(2, 0.8, 60)
    made.register(bought=bought(two, verdict("version 1"), [two, one]))
    made.report()
    page = " ".join((tmp_path / "out/report.html").read_text().split())
    assert "What the round has bought" in page
    assert "Spent since: 40 labels." in page
    assert "the difference is +10.0 points (+2.0 to +18.0): better beyond chance" in page
