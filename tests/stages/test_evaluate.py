"""evaluate: figures and files from a tiny run whose every number is known."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from evaluated_world import CLASSES, OUTPUTS, TEST, Project

from components.core.errors import WinnowError
from components.datasets import ledger as ledgers
from components.datasets.oracle import write_oracle
from components.models.classifier import load_classifier
from components.models.prediction_sets import PredictionSets
from components.release import gate as _gate
from components.stages import evaluate


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_figures_follow_from_the_predictions(project: Project) -> None:
    figures = project.run()
    written = json.loads((project.home / "out/metrics.json").read_text())
    rows = pd.read_parquet(project.home / "out/predictions.parquet")
    assert rows["id"].tolist() == project.ids[20:]
    assert rows["actual"].tolist() == [CLASSES[number] for number in project.truth[20:]]
    control = np.stack(rows["control_distribution"].tolist()).argmax(axis=1) == project.truth[20:]
    assert written["accuracy"] == figures["accuracy"] == pytest.approx((rows["predicted"] == rows["actual"]).mean())
    assert written["control_accuracy"] == pytest.approx(control.mean())
    assert written["gain"] == pytest.approx(written["accuracy"] - written["control_accuracy"])
    assert written["accuracy_low"] <= written["accuracy"] <= written["accuracy_high"]
    assert (written["labels_used"], written["test_samples"], written["pseudo_labels_used"]) == (6, TEST, 6)
    assert written["shipped"] == "pseudo_labels"
    assert {name for name, value in written.items() if not isinstance(value, float | int | str)} == {"baselines"}


def test_what_anybody_would_try_first_stands_beside_the_model(project: Project) -> None:
    figures = project.run()
    beside = json.loads((project.home / "out/metrics.json").read_text())["baselines"]
    assert beside["chance"] == pytest.approx(1 / 3)
    pixels, shades = (f"logistic regression on {name}" for name in ("small pixels", "gray histogram"))
    assert list(beside["rows"]) == [shades, pixels, "the most frequent class"]
    most = np.bincount(project.truth[:6], minlength=3).argmax()
    frequent = beside["rows"]["the most frequent class"]
    assert frequent["accuracy"] == pytest.approx((project.truth[20:] == most).mean())
    assert frequent["gain"] == pytest.approx(figures["accuracy"] - frequent["accuracy"])
    where, how_bright = (beside["rows"][name]["accuracy"] for name in (pixels, shades))
    assert where > 0.9 > how_bright
    assert "baselines" not in figures


def test_a_model_that_pixels_beat_is_told_so(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.run()
    why = json.loads((project.home / "out/metrics.json").read_text())["baselines"]["why"]
    assert why.startswith("This model is not better beyond chance than logistic regression on small pixels")
    assert why in capsys.readouterr().err


def test_plots_hold_every_test_row(project: Project) -> None:
    project.run()
    pairs = pd.read_csv(project.home / "out/confusion.csv")
    assert list(pairs.columns) == ["actual", "predicted"]
    assert len(pairs) == TEST
    bins = pd.read_csv(project.home / "out/reliability.csv")
    assert bins["samples"].sum() == TEST


def test_two_runs_give_the_same_bytes(project: Project) -> None:
    project.run("one")
    project.run("two")
    for name in OUTPUTS[evaluate]:
        assert (project.home / "one" / name).read_bytes() == (project.home / "two" / name).read_bytes(), name


def test_where_the_source_knows_no_test_labels_the_ledger_does(tmp_path: Path) -> None:
    project = Project(tmp_path, oracle=False)
    votes = [("ann", 20, "dog"), ("bob", 20, "cat"), ("cy", 20, "dog"), ("ann", 21, "cat"), ("ann", 0, "cat")]
    rows = [{"id": project.ids[row], "label": name, "annotator": who, "source": "person"} for who, row, name in votes]
    ledgers.append(tmp_path / "ledger.csv", rows)
    assert project.run()["test_samples"] == 2
    assert pd.read_parquet(tmp_path / "out/predictions.parquet")["actual"].tolist() == ["dog", "cat"]


def test_a_correction_of_a_test_sample_counts_and_is_counted_in_what_evaluate_and_the_gate_use(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    before = project.run("before")
    wrong = [CLASSES[(project.truth[row] + 1) % 3] for row in range(20, 25)]
    rows = [
        {"id": project.ids[20 + n], "label": name, "annotator": "ann", "source": "person"}
        for n, name in enumerate(wrong)
    ]
    same = {"id": project.ids[25], "label": CLASSES[project.truth[25]], "annotator": "ann", "source": "person"}
    ledgers.append(project.home / "ledger.csv", [*rows, same])
    after = project.run("after")
    table = pd.read_parquet(project.home / "after/predictions.parquet")
    assert table["actual"].tolist()[:5] == wrong
    assert (before["test_labels_source"], before["test_labels_corrected"]) == (TEST, 0)
    assert (after["test_labels_source"], after["test_labels_corrected"]) == (TEST - 5, 5)
    assert "55 of the source, 0 of the ledger, 5 corrected by it" in capsys.readouterr().err
    right = float((table["predicted"] == table["actual"]).mean())
    assert after["accuracy"] == pytest.approx(right)
    control = (table["actual"] == _by_control(table)).mean()
    verdict = _gate.decide(
        _gate.Gate(), load_classifier(project.home / "model.safetensors"), None, project.rows("after"), seed=0
    )
    assert verdict.difference == pytest.approx(right - control)


def _by_control(table: pd.DataFrame) -> np.ndarray:
    return np.array(CLASSES)[np.stack(table["control_distribution"].tolist()).argmax(axis=1)]


def test_answers_for_test_pictures_that_the_source_does_not_know_join_those_it_knows(project: Project) -> None:
    few = pd.DataFrame({"id": project.ids[20:29], "class": [CLASSES[row] for row in project.truth[20:29]]})
    write_oracle(project.home / "oracle.parquet", few, CLASSES)
    others = [
        {"id": project.ids[row], "label": CLASSES[project.truth[row]], "annotator": "ann", "source": "person"}
        for row in range(29, 20 + TEST)
    ]
    ledgers.append(project.home / "ledger.csv", others)
    figures = project.run()
    counted = (figures["test_samples"], figures["test_labels_source"], figures["test_labels_ledger"])
    assert counted == (TEST, 9, TEST - 9)


def test_no_test_label_at_all_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match="no test sample has a label"):
        Project(tmp_path, oracle=False).run()


def test_a_test_class_the_model_never_saw_is_named(project: Project) -> None:
    truth = pd.DataFrame({"id": project.ids[20:22], "class": ["cat", "owl"]})
    write_oracle(project.home / "oracle.parquet", truth, [*CLASSES, "owl"])
    with pytest.raises(WinnowError, match="'owl', which the model has never seen"):
        project.run()


def test_the_measured_coverage_of_the_sets_stands_beside_the_stated_one(project: Project) -> None:
    project.state(sets=PredictionSets(coverage=0.8, highest=0.6, labels=40).model_dump())
    figures = project.run()
    rows = pd.read_parquet(project.home / "out/predictions.parquet")
    inside = [[CLASSES[k] for k in range(3) if 1 - p[k] <= 0.6 or p[k] == max(p)] for p in rows["distribution"]]
    assert [names.tolist() for names in rows["set"]] == inside
    covered = [name in names for name, names in zip(rows["actual"], inside, strict=True)]
    assert figures["coverage"] == pytest.approx(np.mean(covered))
    assert figures["coverage_low"] <= figures["coverage"] <= figures["coverage_high"]
    assert figures["coverage_stated"] == 0.8
    assert figures["set_size"] == pytest.approx(np.mean([len(names) for names in inside]))
    assert figures["abstained"] == pytest.approx(np.mean([len(names) != 1 for names in inside]))


def test_a_model_without_sets_states_no_coverage(project: Project) -> None:
    assert "coverage" not in project.run()
    assert "set" not in pd.read_parquet(project.home / "out/predictions.parquet")


def test_sets_that_hold_the_right_class_less_often_than_stated_are_told(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    others = [CLASSES[(number + (row % 2)) % 3] for row, number in enumerate(project.truth)]  # half of them wrong now
    write_oracle(project.home / "oracle.parquet", pd.DataFrame({"id": project.ids, "class": others}), CLASSES)
    project.state(sets=PredictionSets(coverage=0.9, highest=0.1, labels=40).model_dump())
    assert project.run()["coverage_high"] < 0.9
    told = "of the prediction sets hold the right class, less than the 90 % stated, so rely on"
    assert told in capsys.readouterr().err


def test_where_too_few_labels_state_a_coverage_every_set_holds_every_class(project: Project) -> None:
    project.state(sets=PredictionSets(coverage=0.95, labels=6).model_dump())
    assert project.run()["coverage"] == 1.0


def test_what_a_model_that_was_held_back_comes_to_is_kept(tmp_path: Path) -> None:
    project = Project(tmp_path, shipped="control")
    figures = project.run()
    assert figures["candidate_accuracy"] == figures["accuracy"]  # the same weights, in this made run
    assert figures["candidate_gain"] == pytest.approx(figures["candidate_accuracy"] - figures["control_accuracy"])
    assert figures["candidate_gain_low"] <= figures["candidate_gain"] <= figures["candidate_gain_high"]


def test_a_model_that_ships_is_not_measured_twice(project: Project) -> None:
    assert "candidate_accuracy" not in project.run()


def test_without_pseudo_labels_none_were_used(tmp_path: Path) -> None:
    assert Project(tmp_path, shipped="control").run()["pseudo_labels_used"] == 0
